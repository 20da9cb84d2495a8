CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT o.custmer FROM orders AS o;
-- says:
-- error[M0301]: `o` has no column `custmer`
--  --> column_of_alias.sql:3:8
--   |
-- 3 | SELECT o.custmer FROM orders AS o;
--   |        ^^^^^^^^^ unknown column
--   |
--   = help: did you mean `customer`?
