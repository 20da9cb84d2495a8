CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WHERE id =! 5;
-- says:
-- error[M0108]: `=!` does not exist in Flink SQL
--  --> not_equal_of_c.sql:3:33
--   |
-- 3 | SELECT id FROM orders WHERE id =! 5;
--   |                                 ^
--   |
--   = help: not equal is `<>`
