CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT COUNT(id, customer) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0303]: COUNT takes 0 to 1 arguments, not 2
--  --> count_of_two.sql:3:14
--   |
-- 3 | SELECT COUNT(id, customer) AS n
--   |              ^^
--   |
--   = help: it is called as COUNT(*), COUNT([DISTINCT] x) → BIGINT
