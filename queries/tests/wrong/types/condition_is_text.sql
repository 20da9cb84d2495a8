CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WHERE customer;
-- says:
-- error[M0303]: a condition must be BOOLEAN, not STRING
--  --> condition_is_text.sql:3:29
--   |
-- 3 | SELECT id FROM orders WHERE customer;
--   |                             ^^^^^^^^
--   |
--   = help: convert a value to the type that is wanted: CAST(x AS TYPE)
