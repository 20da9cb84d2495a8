CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE TABLE times (at STRING) WITH ('connector' = 'blackhole');
INSERT INTO times SELECT ts FROM orders;
-- says:
-- error[M0321]: column `at` of `times` is STRING, but the query's is TIMESTAMP(3)
--  --> time_into_text.sql:4:26
--   |
-- 3 | CREATE TABLE times (at STRING) WITH ('connector' = 'blackhole');
--   |                     -- declared STRING here
-- 4 | INSERT INTO times SELECT ts FROM orders;
--   |                          ^^ TIMESTAMP(3)
--   |
--   = help: convert it: CAST(ts AS STRING)
