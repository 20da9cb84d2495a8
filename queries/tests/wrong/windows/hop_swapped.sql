CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT window_end, COUNT(*) AS n
FROM HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' MINUTE, INTERVAL '5' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0510]: the slide of HOP is longer than its size: are they swapped?
--  --> hop_swapped.sql:4:40
--   |
-- 4 | FROM HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' MINUTE, INTERVAL '5' MINUTE)
--   |                                        ^^^^^^^^^^^^^^^^^^^^  ------------------- the size
--   |                                        |
--   |                                        the slide
--   |
--   = help: the slide comes first: HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '5' MINUTE, INTERVAL '10' MINUTE) has windows of INTERVAL '10' MINUTE, one each INTERVAL '5' MINUTE
