CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT CASE WHEN id > 5 THEN 1 ELSE IF id > 3 THEN 2 END FROM orders;
-- says:
-- error[M0100]: expected END, found `id`
--  --> else_if.sql:3:40
--   |
-- 3 | SELECT CASE WHEN id > 5 THEN 1 ELSE IF id > 3 THEN 2 END FROM orders;
--   |                                        ^^ not expected here
--   |
--   = help: CASE has further conditions: WHEN … THEN …
