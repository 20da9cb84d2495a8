CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT window_end, COUNT(*) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start;
-- says:
-- error[M0306]: `window_end` is neither in GROUP BY nor in an aggregate
--  --> window_end_not_grouped.sql:3:8
--   |
-- 3 | SELECT window_end, COUNT(*) AS n
--   |        ^^^^^^^^^^
--   |
--   = help: add the column to GROUP BY, or put it into an aggregate such as MAX(column)
