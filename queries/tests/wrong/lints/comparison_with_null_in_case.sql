CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT CASE WHEN customer <> NULL THEN 'known' ELSE 'unknown' END AS c FROM orders;
-- says:
-- warning[M0515]: a comparison with NULL is never true
--  --> comparison_with_null_in_case.sql:3:18
--   |
-- 3 | SELECT CASE WHEN customer <> NULL THEN 'known' ELSE 'unknown' END AS c FROM orders;
--   |                  ^^^^^^^^^^^^^^^^ NULL, whatever the values are
--   |
--   = help: write customer IS NOT NULL
