CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT ts + INTERVAL '1.5' HOUR FROM orders;
-- says:
-- error[M0210]: `1.5` is not a whole number
--  --> fraction_of_an_hour.sql:3:22
--   |
-- 3 | SELECT ts + INTERVAL '1.5' HOUR FROM orders;
--   |                      ^^^^^ not an interval of these units
