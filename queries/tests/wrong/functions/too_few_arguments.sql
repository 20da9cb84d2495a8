CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT MOD(id) FROM orders;
-- says:
-- error[M0303]: MOD takes 2 arguments, not 1
--  --> too_few_arguments.sql:3:8
--   |
-- 3 | SELECT MOD(id) FROM orders;
--   |        ^^^^^^^
--   |
--   = help: it is called as MOD(a, b) → type of a % b
