CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT HOUR(customer) FROM orders;
-- says:
-- error[M0303]: HOUR wants a date or time, not STRING
--  --> hour_of_text.sql:3:8
--   |
-- 3 | SELECT HOUR(customer) FROM orders;
--   |        ^^^^^^^^^^^^^^
--   |
--   = help: convert a value to the type that is wanted: CAST(x AS TYPE)
