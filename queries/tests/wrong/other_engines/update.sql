CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
UPDATE orders SET amount = 0 WHERE id = 5;
-- says:
-- error[M0102]: UPDATE is not supported yet
--  --> update.sql:3:1
--   |
-- 3 | UPDATE orders SET amount = 0 WHERE id = 5;
--   | ^^^^^^
--   |
--   = help: a file is one job: its tables, views and inserts
