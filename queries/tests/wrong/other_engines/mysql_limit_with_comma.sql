CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders LIMIT 5, 10;
-- says:
-- error[M0100]: expected the end of the statement, found `,`
--  --> mysql_limit_with_comma.sql:3:30
--   |
-- 3 | SELECT id FROM orders LIMIT 5, 10;
--   |                              ^ not expected here
