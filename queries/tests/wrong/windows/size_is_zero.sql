CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT window_end, COUNT(*) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '0' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0330]: SIZE of TUMBLE must be longer than 0
--  --> size_is_zero.sql:4:43
--   |
-- 4 | FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '0' MINUTE)
--   |                                           ^^^^^^^^^^^^^^^^^^^
--   |
--   = help: write TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECONDS))
