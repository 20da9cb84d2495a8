CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT UPPER(customer, 1) FROM orders;
-- says:
-- error[M0303]: UPPER takes 1 argument, not 2
--  --> too_many_arguments.sql:3:8
--   |
-- 3 | SELECT UPPER(customer, 1) FROM orders;
--   |        ^^^^^^^^^^^^^^^^^^
--   |
--   = help: it is called as UPPER(s) → STRING
