CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT custmer FROM orders;
-- says:
-- error[M0301]: there is no column `custmer`
--  --> misspelt_column.sql:3:8
--   |
-- 3 | SELECT custmer FROM orders;
--   |        ^^^^^^^ unknown column
--   |
--   = help: did you mean `customer`?
