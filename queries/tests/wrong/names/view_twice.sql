CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE VIEW large AS SELECT id FROM orders WHERE amount > 5;
CREATE VIEW large AS SELECT id FROM orders WHERE amount > 50;
-- says:
-- error[M0305]: `large` exists already
--  --> view_twice.sql:4:13
--   |
-- 4 | CREATE VIEW large AS SELECT id FROM orders WHERE amount > 50;
--   |             ^^^^^ the second time
--   |
--   = help: choose another name, or write IF NOT EXISTS
