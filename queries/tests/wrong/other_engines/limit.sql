CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders LIMIT 10;
-- says:
-- error[M0340]: LIMIT is not supported yet
--  --> limit.sql:3:29
--   |
-- 3 | SELECT id FROM orders LIMIT 10;
--   |                             ^^
--   |
--   = help: run with `--limit N` to stop after N rows
