CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT CASE WHEN id > 5 THEN 1 ELSE 2 FROM orders;
-- says:
-- error[M0100]: expected END, found `FROM`
--  --> case_without_end.sql:3:39
--   |
-- 3 | SELECT CASE WHEN id > 5 THEN 1 ELSE 2 FROM orders;
--   |                                       ^^^^ not expected here
--   |
--   = help: CASE WHEN condition THEN value ELSE value ends with END
