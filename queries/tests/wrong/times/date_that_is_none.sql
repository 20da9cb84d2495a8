CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WHERE ts > TIMESTAMP '2024-02-30 00:00:00';
-- says:
-- error[M0211]: `2024-02-30 00:00:00` is not a TIMESTAMP
--  --> date_that_is_none.sql:3:44
--   |
-- 3 | SELECT id FROM orders WHERE ts > TIMESTAMP '2024-02-30 00:00:00';
--   |                                            ^^^^^^^^^^^^^^^^^^^^^ no such date or time
--   |
--   = help: an example: TIMESTAMP '2024-02-29 12:30:00'
