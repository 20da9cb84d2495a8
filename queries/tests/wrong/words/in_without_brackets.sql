CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WHERE id IN 1, 2;
-- says:
-- error[M0100]: expected `(`, found `1`
--  --> in_without_brackets.sql:3:35
--   |
-- 3 | SELECT id FROM orders WHERE id IN 1, 2;
--   |                                   ^ not expected here
--   |
--   = help: a list stands in brackets: IN (1, 2)
