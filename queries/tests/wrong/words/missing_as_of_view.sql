CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE VIEW large SELECT id FROM orders;
-- says:
-- error[M0100]: expected AS, found `SELECT`
--  --> missing_as_of_view.sql:3:19
--   |
-- 3 | CREATE VIEW large SELECT id FROM orders;
--   |                   ^^^^^^ not expected here
--   |
--   = help: write CREATE VIEW name AS SELECT …
