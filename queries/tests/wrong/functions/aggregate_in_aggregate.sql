CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT MAX(COUNT(*)) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0309]: an aggregate stands inside another one
--  --> aggregate_in_aggregate.sql:3:8
--   |
-- 3 | SELECT MAX(COUNT(*)) AS n
--   |        ^^^^^^^^^
--   |
--   = help: aggregate in a view or subquery, and its result again
