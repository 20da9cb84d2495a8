CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WHERE customer = NULL;
-- says:
-- warning[M0515]: a comparison with NULL is never true
--  --> comparison_with_null.sql:3:29
--   |
-- 3 | SELECT id FROM orders WHERE customer = NULL;
--   |                             ^^^^^^^^^^^^^^^ NULL, whatever the values are
--   |
--   = help: write customer IS NULL
