CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT customer FROM orders WHERE SUM(amount) > 100;
-- says:
-- error[M0309]: an aggregate cannot stand in WHERE
--  --> aggregate_in_where.sql:3:35
--   |
-- 3 | SELECT customer FROM orders WHERE SUM(amount) > 100;
--   |                                   ^^^^^^^^^^^
--   |
--   = help: WHERE sees single rows; a condition for groups stands in HAVING, behind GROUP BY
