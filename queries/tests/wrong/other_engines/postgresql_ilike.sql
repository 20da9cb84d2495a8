CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WHERE customer ~ 'A.*';
-- says:
-- error[M0108]: `~` does not exist in Flink SQL
--  --> postgresql_ilike.sql:3:38
--   |
-- 3 | SELECT id FROM orders WHERE customer ~ 'A.*';
--   |                                      ^
--   |
--   = help: write REGEXP(text, 'pattern')
