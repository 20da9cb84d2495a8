CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT window_end, COUNT(*) AS n
FROM HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0330]: HOP is missing its argument SIZE
--  --> hop_without_slide.sql:4:6
--   |
-- 4 | FROM HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
--   |      ^^^
--   |
--   = help: write TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECONDS, INTERVAL '10' SECONDS))
