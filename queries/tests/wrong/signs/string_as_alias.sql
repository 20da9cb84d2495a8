CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id AS 'order id' FROM orders;
-- says:
-- error[M0100]: a name is not written in single quotes
--  --> string_as_alias.sql:3:14
--   |
-- 3 | SELECT id AS 'order id' FROM orders;
--   |              ^^^^^^^^^^
--   |
--   = help: write `order id` with backquotes
