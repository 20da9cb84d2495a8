CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT ts + INTERVAL '5' MIN FROM orders;
-- says:
-- error[M0210]: INTERVAL without a unit
--  --> short_unit.sql:3:22
--   |
-- 3 | SELECT ts + INTERVAL '5' MIN FROM orders;
--   |                      ^^^ a unit is missing after this
--   |
--   = help: a unit follows: INTERVAL '5' MINUTES
