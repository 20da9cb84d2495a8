CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE TABLE totals (customer STRING, total DECIMAL(38, 2), n BIGINT) WITH ('connector' = 'blackhole');
SELECT id FROM orders;
-- says:
-- warning[M0516]: the table `totals` is never used
--  --> unused_table.sql:3:14
--   |
-- 3 | CREATE TABLE totals (customer STRING, total DECIMAL(38, 2), n BIGINT) WITH ('connector' = 'blackhole');
--   |              ^^^^^^ no query reads it, no INSERT writes it
--   |
--   = help: remove it, or use it
