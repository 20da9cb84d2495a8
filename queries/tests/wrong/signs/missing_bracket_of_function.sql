CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT UPPER(customer FROM orders;
-- says:
-- error[M0104]: `(` is never closed
--  --> missing_bracket_of_function.sql:3:13
--   |
-- 3 | SELECT UPPER(customer FROM orders;
--   |             ^ opened here
--   |
--   = help: add `)` where it ends
