CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT COUNT(*) FILTER (amount > 5) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0100]: expected the end of the statement, found `>`
--  --> filter_without_where.sql:3:32
--   |
-- 3 | SELECT COUNT(*) FILTER (amount > 5) AS n
--   |                                ^ not expected here
--   |
--   = help: write FILTER (WHERE condition)
