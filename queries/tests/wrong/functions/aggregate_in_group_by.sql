CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT COUNT(*) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end, MAX(id);
-- says:
-- error[M0309]: an aggregate cannot stand in GROUP BY
--  --> aggregate_in_group_by.sql:5:40
--   |
-- 5 | GROUP BY window_start, window_end, MAX(id);
--   |                                        ^^
--   |
--   = help: group by columns; to group by an aggregate, compute it in a view before
