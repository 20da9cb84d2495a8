CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT window_end, COUNT(*) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '0' MINUTE, INTERVAL '5' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0330]: TUMBLE takes at most 4 arguments
--  --> too_many_arguments.sql:4:6
--   |
-- 4 | FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '0' MINUTE, INTERVAL '5' MINUTE)
--   |      ^^^^^^
--   |
--   = help: write TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECONDS))
