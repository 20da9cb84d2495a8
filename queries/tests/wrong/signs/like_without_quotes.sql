CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WHERE customer LIKE A%;
-- says:
-- error[M0100]: expected an expression, but the text ends
--  --> like_without_quotes.sql:3:45
--   |
-- 3 | SELECT id FROM orders WHERE customer LIKE A%;
--   |                                             ^ something is missing here
