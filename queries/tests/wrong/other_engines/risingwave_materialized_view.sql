CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE MATERIALIZED VIEW large AS SELECT id FROM orders WHERE amount > 100;
-- says:
-- error[M0102]: CREATE MATERIALIZED VIEW is not supported yet
--  --> risingwave_materialized_view.sql:3:1
--   |
-- 3 | CREATE MATERIALIZED VIEW large AS SELECT id FROM orders WHERE amount > 100;
--   | ^^^^^^^^^^^^^^^^^^^
--   |
--   = help: write CREATE VIEW, and INSERT INTO table SELECT … FROM it to keep its rows
