CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT window_end, COUNT(*) AS n
FROM TUMBLE(TABLE 'orders', DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0100]: expected the name of a table or view, found `'orders'`
--  --> table_in_quotes.sql:4:19
--   |
-- 4 | FROM TUMBLE(TABLE 'orders', DESCRIPTOR(ts), INTERVAL '1' MINUTE)
--   |                   ^^^^^^^^ not expected here
