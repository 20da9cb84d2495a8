CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT ts + INTERVAL '5' MINUTSE FROM orders;
-- says:
-- error[M0210]: `MINUTSE` is not a unit of time
--  --> misspelt_unit.sql:3:26
--   |
-- 3 | SELECT ts + INTERVAL '5' MINUTSE FROM orders;
--   |                          ^^^^^^^
--   |
--   = help: did you mean `MINUTE`?
