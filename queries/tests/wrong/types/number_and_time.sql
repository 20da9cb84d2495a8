CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT ts + 5 FROM orders;
-- says:
-- error[M0303]: `+` has no meaning for TIMESTAMP(3) and BIGINT
--  --> number_and_time.sql:3:8
--   |
-- 3 | SELECT ts + 5 FROM orders;
--   |        ^^
--   |
--   = help: convert a value to the type that is wanted: CAST(x AS TYPE)
