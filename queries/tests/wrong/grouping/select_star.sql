CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT *, COUNT(*) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0306]: `id` is neither in GROUP BY nor in an aggregate
--  --> select_star.sql:3:8
--   |
-- 3 | SELECT *, COUNT(*) AS n
--   |        ^
--   |
--   = help: add the column to GROUP BY, or put it into an aggregate such as MAX(column)
