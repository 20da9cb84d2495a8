CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT ts + INTERVAL '5 minutes' FROM orders;
-- says:
-- error[M0210]: INTERVAL without a unit
--  --> unit_in_the_quotes.sql:3:22
--   |
-- 3 | SELECT ts + INTERVAL '5 minutes' FROM orders;
--   |                      ^^^^^^^^^^^ a unit is missing after this
--   |
--   = help: write INTERVAL '5' MINUTES
