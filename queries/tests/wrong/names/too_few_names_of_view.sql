CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE VIEW v (a) AS SELECT id, customer FROM orders;
-- says:
-- error[M0320]: view `v` names 1 column(s), but its query has 2
--  --> too_few_names_of_view.sql:3:13
--   |
-- 3 | CREATE VIEW v (a) AS SELECT id, customer FROM orders;
--   |             ^
--   |
--   = help: name as many columns as the query has, or none
