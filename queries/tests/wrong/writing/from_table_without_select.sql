CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE TABLE totals (customer STRING, total DECIMAL(38, 2), n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO totals FROM orders;
-- says:
-- error[M0100]: expected a query, found `FROM`
--  --> from_table_without_select.sql:4:20
--   |
-- 4 | INSERT INTO totals FROM orders;
--   |                    ^^^^ not expected here
--   |
--   = help: write INSERT INTO table SELECT … FROM …
