CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT TOP 10 id FROM orders;
-- says:
-- error[M0340]: TOP is not supported yet
--  --> top_of_sql_server.sql:3:1
--   |
-- 3 | SELECT TOP 10 id FROM orders;
--   | ^^^^^^
--   |
--   = help: run with `--limit N` to stop after N rows
