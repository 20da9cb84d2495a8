CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT window_end, COUNT(*) AS n
FROM TUMBLE(TABLE orders, DESCRIPTOR(customer), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
-- says:
-- error[M0331]: `customer` is not an event-time attribute
--  --> descriptor_of_a_plain_column.sql:4:38
--   |
-- 4 | FROM TUMBLE(TABLE orders, DESCRIPTOR(customer), INTERVAL '1' MINUTE)
--   |                                      ^^^^^^^^ a plain STRING column
--   |
--   = help: declare WATERMARK FOR customer AS customer - INTERVAL '5' SECOND in CREATE TABLE, and select the column unchanged
