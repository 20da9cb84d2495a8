CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE TABLE totals (customer STRING, total DECIMAL(38, 2), n BIGINT) WITH ('connector' = 'blackhole');
SELECT id INTO totals FROM orders;
-- says:
-- error[M0340]: SELECT INTO is not supported yet
--  --> select_into.sql:4:16
--   |
-- 4 | SELECT id INTO totals FROM orders;
--   |                ^^^^^^
--   |
--   = help: write INSERT INTO table SELECT …
