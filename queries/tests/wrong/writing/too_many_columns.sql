CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE TABLE totals (customer STRING, total DECIMAL(38, 2), n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO totals SELECT customer, amount, id, ts FROM orders;
-- says:
-- error[M0320]: `totals` takes 3 column(s), but the query has 4
--  --> too_many_columns.sql:4:13
--   |
-- 4 | INSERT INTO totals SELECT customer, amount, id, ts FROM orders;
--   |             ^^^^^^
--   |
--   = help: select `customer`, `total`, `n`
