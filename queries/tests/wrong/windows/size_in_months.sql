CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT window_end, COUNT(*) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MONTH)
GROUP BY window_start, window_end;
-- says:
-- error[M0330]: windows of months or years have no fixed length
--  --> size_in_months.sql:4:43
--   |
-- 4 | FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MONTH)
--   |                                           ^^^^^^^^^^^^^^^^^^
--   |
--   = help: use days, for example INTERVAL '30' DAYS
