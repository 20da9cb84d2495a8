CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer, tumble(interval '1 minute');
-- says:
-- error[M0210]: INTERVAL without a unit
--  --> arroyo_tumble.sql:3:79
--   |
-- 3 | SELECT customer, COUNT(*) AS n FROM orders GROUP BY customer, tumble(interval '1 minute');
--   |                                                                               ^^^^^^^^^^ a unit is missing after this
--   |
--   = help: write INTERVAL '1' MINUTE
