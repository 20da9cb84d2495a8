CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE VIEW large AS SELECT id FROM orders WHERE amount > 100;
SELECT id FROM orders;
-- says:
-- warning[M0516]: the view `large` is never used
--  --> unused_view.sql:3:13
--   |
-- 3 | CREATE VIEW large AS SELECT id FROM orders WHERE amount > 100;
--   |             ^^^^^ no query reads it, no INSERT writes it
--   |
--   = help: remove it, or use it
