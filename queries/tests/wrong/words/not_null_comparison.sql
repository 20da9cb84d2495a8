CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WHERE customer NOT NULL;
-- says:
-- error[M0108]: `x NOT NULL` is no condition in Flink SQL
--  --> not_null_comparison.sql:3:42
--   |
-- 3 | SELECT id FROM orders WHERE customer NOT NULL;
--   |                                          ^^^^
--   |
--   = help: write IS NOT NULL
