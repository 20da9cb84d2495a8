CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id, amount FROM (SELECT id, customer FROM orders);
-- says:
-- error[M0301]: there is no column `amount`
--  --> column_that_the_subquery_left_out.sql:3:12
--   |
-- 3 | SELECT id, amount FROM (SELECT id, customer FROM orders);
--   |            ^^^^^^ unknown column
--   |
--   = help: one of `id`, `customer`
