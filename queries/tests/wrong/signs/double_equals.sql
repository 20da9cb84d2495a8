CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WHERE id == 5;
-- says:
-- error[M0108]: `==` does not exist in Flink SQL
--  --> double_equals.sql:3:32
--   |
-- 3 | SELECT id FROM orders WHERE id == 5;
--   |                                ^^
--   |
--   = help: write `=`
