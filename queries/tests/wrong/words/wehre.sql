CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WEHRE amount > 5;
-- says:
-- error[M0100]: expected the end of the statement, found `amount`
--  --> wehre.sql:3:29
--   |
-- 3 | SELECT id FROM orders WEHRE amount > 5;
--   |                             ^^^^^^ not expected here
--   |
--   = help: did you mean WHERE instead of WEHRE?
