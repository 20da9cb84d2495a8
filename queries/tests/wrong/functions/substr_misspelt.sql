CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT SUBSTRNG(customer, 1) FROM orders;
-- says:
-- error[M0302]: there is no function `SUBSTRNG`
--  --> substr_misspelt.sql:3:8
--   |
-- 3 | SELECT SUBSTRNG(customer, 1) FROM orders;
--   |        ^^^^^^^^ unknown function
--   |
--   = help: did you mean `SUBSTRING`?
