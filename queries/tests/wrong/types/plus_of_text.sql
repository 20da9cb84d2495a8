CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT customer + 1 FROM orders;
-- says:
-- error[M0303]: `+` has no meaning for STRING and BIGINT
--  --> plus_of_text.sql:3:8
--   |
-- 3 | SELECT customer + 1 FROM orders;
--   |        ^^^^^^^^
--   |
--   = help: `||` puts texts together; to add, convert: CAST(x AS INT)
