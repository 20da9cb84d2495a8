CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders ORDER BY amount DESC;
-- says:
-- error[M0340]: ORDER BY is not supported yet
--  --> order_by.sql:3:32
--   |
-- 3 | SELECT id FROM orders ORDER BY amount DESC;
--   |                                ^^^^^^
--   |
--   = help: a stream has no end to sort at; sort where the result is read
