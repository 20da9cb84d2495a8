CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE VIEW v AS SELECT id AS x, customer AS x FROM orders;
-- says:
-- error[M0305]: two columns of the query have the same name
--  --> view_with_a_column_twice.sql:3:18
--   |
-- 3 | CREATE VIEW v AS SELECT id AS x, customer AS x FROM orders;
--   |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
--   |
--   = help: give one of them another name with AS
