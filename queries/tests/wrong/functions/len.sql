CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT LEN(customer) FROM orders;
-- says:
-- error[M0302]: there is no function `LEN`
--  --> len.sql:3:8
--   |
-- 3 | SELECT LEN(customer) FROM orders;
--   |        ^^^ unknown function
--   |
--   = help: in Flink SQL it is CHAR_LENGTH(s)
