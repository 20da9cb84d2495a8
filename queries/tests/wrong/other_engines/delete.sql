CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
DELETE FROM orders WHERE id = 5;
-- says:
-- error[M0102]: DELETE is not supported yet
--  --> delete.sql:3:1
--   |
-- 3 | DELETE FROM orders WHERE id = 5;
--   | ^^^^^^
--   |
--   = help: a file is one job: its tables, views and inserts
