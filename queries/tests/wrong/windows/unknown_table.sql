CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT window_end, COUNT(*) AS n
FROM TUMBLE(TABLE ordrs, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0300]: there is no table or view `ordrs`
--  --> unknown_table.sql:4:19
--   |
-- 4 | FROM TUMBLE(TABLE ordrs, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
--   |                   ^^^^^ unknown table
--   |
--   = help: did you mean `orders`?
