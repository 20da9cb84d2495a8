CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE TABLE totals (customer STRING, total DECIMAL(38, 2), n BIGINT) WITH ('connector' = 'blackhole');
UPSERT INTO totals SELECT customer, amount, id FROM orders;
-- says:
-- error[M0102]: UPSERT is not supported yet
--  --> upsert.sql:4:1
--   |
-- 4 | UPSERT INTO totals SELECT customer, amount, id FROM orders;
--   | ^^^^^^
--   |
--   = help: write INSERT INTO: the sink's key decides what is replaced
