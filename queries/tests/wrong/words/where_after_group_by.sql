CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT COUNT(*) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end
WHERE amount > 5;
-- says:
-- error[M0100]: expected the end of the statement, found `WHERE`
--  --> where_after_group_by.sql:6:1
--   |
-- 6 | WHERE amount > 5;
--   | ^^^^^ not expected here
--   |
--   = help: WHERE stands between FROM and GROUP BY
