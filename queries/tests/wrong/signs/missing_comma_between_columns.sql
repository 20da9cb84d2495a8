CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id customer amount FROM orders;
-- says:
-- error[M0100]: expected the end of the statement, found `amount`
--  --> missing_comma_between_columns.sql:3:20
--   |
-- 3 | SELECT id customer amount FROM orders;
--   |                    ^^^^^^ not expected here
--   |
--   = help: is a comma missing before it?
