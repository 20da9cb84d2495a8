CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM (SELECT id, custmer FROM (SELECT id, customer FROM orders));
-- says:
-- error[M0301]: there is no column `custmer`
--  --> unknown_column_in_nested_query.sql:3:28
--   |
-- 3 | SELECT id FROM (SELECT id, custmer FROM (SELECT id, customer FROM orders));
--   |                            ^^^^^^^ unknown column
--   |
--   = help: did you mean `customer`?
