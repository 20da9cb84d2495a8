CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT SUM(customer) AS s
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0303]: SUM wants a number, not STRING
--  --> sum_of_text.sql:3:12
--   |
-- 3 | SELECT SUM(customer) AS s
--   |            ^^^^^^^^
--   |
--   = help: convert a value to the type that is wanted: CAST(x AS TYPE)
