CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE TABLE totals (customer STRING, total DECIMAL(38, 2), n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO shop.totals SELECT customer, amount, id FROM orders;
-- says:
-- error[M0110]: catalogs and databases are not supported
--  --> table_of_another_database.sql:4:13
--   |
-- 4 | INSERT INTO shop.totals SELECT customer, amount, id FROM orders;
--   |             ^^^^^^^^^^^
--   |
--   = help: write `totals`
