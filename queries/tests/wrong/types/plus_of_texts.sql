CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT customer + '!' FROM orders;
-- says:
-- error[M0303]: `+` has no meaning for STRING and STRING
--  --> plus_of_texts.sql:3:8
--   |
-- 3 | SELECT customer + '!' FROM orders;
--   |        ^^^^^^^^
--   |
--   = help: `||` puts texts together; to add, convert: CAST(x AS INT)
