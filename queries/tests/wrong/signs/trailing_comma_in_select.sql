CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id, customer, FROM orders;
-- says:
-- error[M0105]: a comma with nothing behind it
--  --> trailing_comma_in_select.sql:3:20
--   |
-- 3 | SELECT id, customer, FROM orders;
--   |                    ^
--   |
--   = help: remove the comma
