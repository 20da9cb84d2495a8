CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE TABLE ids (id INT) WITH ('connector' = 'blackhole');
INSERT INTO ids SELECT id FROM orders;
-- says:
-- error[M0321]: column `id` of `ids` is INT, but the query's is BIGINT
--  --> narrower_type.sql:4:24
--   |
-- 3 | CREATE TABLE ids (id INT) WITH ('connector' = 'blackhole');
--   |                   -- declared INT here
-- 4 | INSERT INTO ids SELECT id FROM orders;
--   |                        ^^ BIGINT
--   |
--   = help: convert it: CAST(id AS INT)
