CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WHERE customer = ‘Ann’;
-- says:
-- error[M0108]: curly quotes do not exist in Flink SQL
--  --> curly_quotes.sql:3:40
--   |
-- 3 | SELECT id FROM orders WHERE customer = ‘Ann’;
--   |                                        ^
--   |
--   = help: write straight ones: 'text'
