CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT ABS() FROM orders;
-- says:
-- error[M0303]: ABS takes 1 argument, not 0
--  --> no_arguments.sql:3:8
--   |
-- 3 | SELECT ABS() FROM orders;
--   |        ^^^
--   |
--   = help: it is called as ABS(x) → type of x
