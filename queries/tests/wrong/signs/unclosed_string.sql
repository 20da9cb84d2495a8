CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WHERE customer = 'Ann;
-- says:
-- error[M0002]: a string is not closed
--  --> unclosed_string.sql:3:40
--   |
-- 3 | SELECT id FROM orders WHERE customer = 'Ann;
--   |                                        ^^^^^ it starts here
--   |
--   = help: close it with `'`; a quote inside a string is written twice: 'it''s'
