CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id, customer FORM orders;
-- says:
-- error[M0100]: expected the end of the statement, found `orders`
--  --> form.sql:3:26
--   |
-- 3 | SELECT id, customer FORM orders;
--   |                          ^^^^^^ not expected here
--   |
--   = help: did you mean FROM instead of FORM?
