CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT COUNT(*) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end HAVNG COUNT(*) > 5;
-- says:
-- error[M0100]: expected the end of the statement, found `HAVNG`
--  --> havng.sql:5:35
--   |
-- 5 | GROUP BY window_start, window_end HAVNG COUNT(*) > 5;
--   |                                   ^^^^^ not expected here
--   |
--   = help: did you mean HAVING instead of HAVNG?
