CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT id FROM orders WHERE id BETWEEN 1, 5;
-- says:
-- error[M0100]: expected AND, found `,`
--  --> between_without_and.sql:3:41
--   |
-- 3 | SELECT id FROM orders WHERE id BETWEEN 1, 5;
--   |                                         ^ not expected here
--   |
--   = help: write BETWEEN low AND high
