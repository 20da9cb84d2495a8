CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT customer, COUNT(*) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end, customer,;
-- says:
-- error[M0105]: a comma with nothing behind it
--  --> trailing_comma_in_group_by.sql:5:44
--   |
-- 5 | GROUP BY window_start, window_end, customer,;
--   |                                            ^
--   |
--   = help: remove the comma
