CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT window_end, COUNT(*) AS n
FROM CUMULATE(TABLE orders, DESCRIPTOR(ts), INTERVAL '7' HOUR, INTERVAL '1' DAY)
GROUP BY window_start, window_end;
-- says:
-- error[M0330]: SIZE of CUMULATE must be an integral multiple of STEP
--  --> cumulate_no_multiple.sql:4:64
--   |
-- 4 | FROM CUMULATE(TABLE orders, DESCRIPTOR(ts), INTERVAL '7' HOUR, INTERVAL '1' DAY)
--   |                                                                ^^^^^^^^^^^^^^^^
--   |
--   = help: write TABLE(CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR, INTERVAL '1' DAY))
