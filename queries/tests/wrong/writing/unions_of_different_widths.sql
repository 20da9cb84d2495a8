CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id, customer FROM orders UNION ALL SELECT id FROM orders;
-- says:
-- error[M0320]: the queries of UNION ALL have different numbers of columns
--  --> unions_of_different_widths.sql:3:1
--   |
-- 3 | SELECT id, customer FROM orders UNION ALL SELECT id FROM orders;
--   | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
--   |
--   = help: select the same columns in both, NULL where one has none
