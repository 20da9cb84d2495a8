CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT TO_TIMESTAMP(id) FROM orders;
-- says:
-- error[M0303]: TO_TIMESTAMP wants text, not BIGINT; for a number use TO_TIMESTAMP_LTZ(number, 3)
--  --> to_timestamp_of_number.sql:3:8
--   |
-- 3 | SELECT TO_TIMESTAMP(id) FROM orders;
--   |        ^^^^^^^^^^^^^^^^
--   |
--   = help: convert a value to the type that is wanted: CAST(x AS TYPE)
