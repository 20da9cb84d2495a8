CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT CASE WHEN id > 5 THEN ts ELSE 1 END FROM orders;
-- says:
-- error[M0303]: CASE has one type: THEN is TIMESTAMP(3), ELSE INT
--  --> case_of_two_types.sql:3:8
--   |
-- 3 | SELECT CASE WHEN id > 5 THEN ts ELSE 1 END FROM orders;
--   |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
--   |
--   = help: convert a value to the type that is wanted: CAST(x AS TYPE)
