CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders UNION ALL;
-- says:
-- error[M0100]: expected SELECT, VALUES, or a subquery in the query body, but the text ends
--  --> union_of_nothing.sql:3:32
--   |
-- 3 | SELECT id FROM orders UNION ALL;
--   |                                ^ something is missing here
