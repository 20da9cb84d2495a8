CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT COUNT(*) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end, custmer;
-- says:
-- error[M0301]: there is no column `custmer`
--  --> unknown_key.sql:5:36
--   |
-- 5 | GROUP BY window_start, window_end, custmer;
--   |                                    ^^^^^^^ unknown column
--   |
--   = help: did you mean `customer`?
