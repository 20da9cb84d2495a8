CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders;
WHERE amount > 100;
-- says:
-- error[M0101]: no statement begins with `WHERE`
--  --> semicolon_before_where.sql:4:1
--   |
-- 4 | WHERE amount > 100;
--   | ^^^^^
--   |
--   = help: a statement begins with CREATE, INSERT, SELECT, WITH, VALUES, SET, RESET, EXPLAIN, EXECUTE, DROP, SHOW, DESCRIBE
