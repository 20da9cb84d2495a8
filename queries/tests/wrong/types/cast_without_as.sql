CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT CAST(id, STRING) FROM orders;
-- says:
-- error[M0100]: expected AS, found `,`
--  --> cast_without_as.sql:3:15
--   |
-- 3 | SELECT CAST(id, STRING) FROM orders;
--   |               ^ not expected here
--   |
--   = help: write CAST(value AS TYPE)
