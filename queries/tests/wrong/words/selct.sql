CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELCT id FROM orders;
-- says:
-- error[M0101]: no statement begins with `SELCT`
--  --> selct.sql:3:1
--   |
-- 3 | SELCT id FROM orders;
--   | ^^^^^
--   |
--   = help: did you mean `SELECT`?
