CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT COUNT(*) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP window_start, window_end;
-- says:
-- error[M0100]: expected the end of the statement, found `GROUP`
--  --> group_without_by.sql:5:1
--   |
-- 5 | GROUP window_start, window_end;
--   | ^^^^^ not expected here
--   |
--   = help: write GROUP BY
