CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
SELECT DATE_FORMAT(ts, 'YYYY-QQ') FROM orders;
-- says:
-- error[M0460]: `YYYY-QQ` is not a pattern of time: the pattern letter `Y` is not supported
--  --> date_format_pattern.sql:3:8
--   |
-- 3 | SELECT DATE_FORMAT(ts, 'YYYY-QQ') FROM orders;
--   |        ^^^^^^^^^^^^^^^^^^^^^^^^^^
--   |
--   = help: see `millstream functions DATE_FORMAT`
