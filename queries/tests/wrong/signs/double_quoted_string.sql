CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WHERE customer = "Ann";
-- says:
-- error[M0107]: double quotes are not used in Flink SQL
--  --> double_quoted_string.sql:3:40
--   |
-- 3 | SELECT id FROM orders WHERE customer = "Ann";
--   |                                        ^^^^^
--   |
--   = help: 'Ann' is a string, `Ann` a name
