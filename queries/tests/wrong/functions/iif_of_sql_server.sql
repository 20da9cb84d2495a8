CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT IIF(id > 5, 1, 2) FROM orders;
-- says:
-- error[M0302]: there is no function `IIF`
--  --> iif_of_sql_server.sql:3:8
--   |
-- 3 | SELECT IIF(id > 5, 1, 2) FROM orders;
--   |        ^^^ unknown function
--   |
--   = help: did you mean `IF`?
