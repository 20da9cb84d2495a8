CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE TABLE totals (customer STRING, total DECIMAL(38, 2), n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO totals (customer, totl) SELECT customer, amount FROM orders;
-- says:
-- error[M0301]: table `totals` has no column `totl`
--  --> unknown_column.sql:4:31
--   |
-- 4 | INSERT INTO totals (customer, totl) SELECT customer, amount FROM orders;
--   |                               ^^^^ unknown column
--   |
--   = help: did you mean `total`?
