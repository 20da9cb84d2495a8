CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT window_end, COUNT(*) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_end;
-- says:
-- error[M0512]: `window_start` is missing in GROUP BY: only `window_end` is there
--  --> window_start_missing.sql:3:8
--   |
-- 3 | SELECT window_end, COUNT(*) AS n
--   |        ^^^^^^^^^^
--   |
--   = help: write GROUP BY window_start, window_end, …
