CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT customer FROM orders HAVING amount > 5;
-- says:
-- error[M0306]: HAVING is about groups, and nothing is grouped
--  --> having_without_group.sql:3:36
--   |
-- 3 | SELECT customer FROM orders HAVING amount > 5;
--   |                                    ^^^^^^^^^^
--   |
--   = help: a condition for rows stands behind WHERE
