CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT ts + INTERVAL 5 MINUTE FROM orders;
-- says:
-- error[M0210]: INTERVAL needs a number in quotes
--  --> interval_without_quotes.sql:3:22
--   |
-- 3 | SELECT ts + INTERVAL 5 MINUTE FROM orders;
--   |                      ^
--   |
--   = help: write INTERVAL '5' with a unit behind it
