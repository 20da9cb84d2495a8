CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM Orders;
-- says:
-- error[M0300]: there is no table or view `Orders`
--  --> table_in_other_case.sql:3:16
--   |
-- 3 | SELECT id FROM Orders;
--   |                ^^^^^^ unknown table
--   |
--   = help: did you mean `orders`?
