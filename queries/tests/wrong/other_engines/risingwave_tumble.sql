CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT window_start, COUNT(*) AS n FROM TUMBLE(orders, ts, INTERVAL '1 MINUTE') GROUP BY window_start;
-- says:
-- error[M0210]: INTERVAL without a unit
--  --> risingwave_tumble.sql:3:69
--   |
-- 3 | SELECT window_start, COUNT(*) AS n FROM TUMBLE(orders, ts, INTERVAL '1 MINUTE') GROUP BY window_start;
--   |                                                                     ^^^^^^^^^^ a unit is missing after this
--   |
--   = help: write INTERVAL '1' MINUTE
