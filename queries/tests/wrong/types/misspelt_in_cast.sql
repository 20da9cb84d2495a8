CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT CAST(id AS STIRNG) FROM orders;
-- says:
-- error[M0200]: unknown type `STIRNG`
--  --> misspelt_in_cast.sql:3:19
--   |
-- 3 | SELECT CAST(id AS STIRNG) FROM orders;
--   |                   ^^^^^^
--   |
--   = help: did you mean `STRING`?
