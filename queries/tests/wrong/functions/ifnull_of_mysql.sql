CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT IFNULLL(customer, 'x') FROM orders;
-- says:
-- error[M0302]: there is no function `IFNULLL`
--  --> ifnull_of_mysql.sql:3:8
--   |
-- 3 | SELECT IFNULLL(customer, 'x') FROM orders;
--   |        ^^^^^^^ unknown function
--   |
--   = help: did you mean `IFNULL`?
