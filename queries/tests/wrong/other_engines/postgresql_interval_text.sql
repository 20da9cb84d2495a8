CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WHERE ts > '2024-01-01'::timestamp - interval '1 day';
-- says:
-- error[M0210]: INTERVAL without a unit
--  --> postgresql_interval_text.sql:3:69
--   |
-- 3 | SELECT id FROM orders WHERE ts > '2024-01-01'::timestamp - interval '1 day';
--   |                                                                     ^^^^^^^ a unit is missing after this
--   |
--   = help: write INTERVAL '1' DAY
