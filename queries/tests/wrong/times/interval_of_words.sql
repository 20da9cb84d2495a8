CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT ts + INTERVAL 'five' MINUTE FROM orders;
-- says:
-- error[M0210]: `five` is not a whole number
--  --> interval_of_words.sql:3:22
--   |
-- 3 | SELECT ts + INTERVAL 'five' MINUTE FROM orders;
--   |                      ^^^^^^ not an interval of these units
