CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT "id" FROM orders;
-- says:
-- error[M0107]: double quotes are not used in Flink SQL
--  --> double_quoted_name.sql:3:8
--   |
-- 3 | SELECT "id" FROM orders;
--   |        ^^^^
--   |
--   = help: 'id' is a string, `id` a name
