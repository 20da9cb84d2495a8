CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WHERE id > 5 && amount > 1;
-- says:
-- error[M0108]: `&&` does not exist in Flink SQL
--  --> and_of_c.sql:3:36
--   |
-- 3 | SELECT id FROM orders WHERE id > 5 && amount > 1;
--   |                                    ^^
--   |
--   = help: write AND
