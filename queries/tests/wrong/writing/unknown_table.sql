CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE TABLE totals (customer STRING, total DECIMAL(38, 2), n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO total SELECT customer, amount, id FROM orders;
-- says:
-- error[M0300]: there is no table `total`
--  --> unknown_table.sql:4:13
--   |
-- 4 | INSERT INTO total SELECT customer, amount, id FROM orders;
--   |             ^^^^^ unknown table
--   |
--   = help: did you mean `totals`?
