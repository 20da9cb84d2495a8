CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE TABLE totals (customer STRING, total DECIMAL(38, 2), n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO totals SELECT customer, amount, customer FROM orders;
-- says:
-- error[M0321]: column `n` of `totals` is BIGINT, but the query's is STRING
--  --> wrong_type.sql:4:45
--   |
-- 3 | CREATE TABLE totals (customer STRING, total DECIMAL(38, 2), n BIGINT) WITH ('connector' = 'blackhole');
--   |                                                             - declared BIGINT here
-- 4 | INSERT INTO totals SELECT customer, amount, customer FROM orders;
--   |                                             ^^^^^^^^ STRING
--   |
--   = help: convert it: CAST(customer AS BIGINT)
