CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE TABLE t (id BIGINT, twice AS id * 2) WITH ('connector' = 'blackhole');
INSERT INTO t (id, twice) SELECT id, id FROM orders;
-- says:
-- error[M0322]: `twice` is computed and cannot be written
--  --> into_a_computed_column.sql:4:20
--   |
-- 4 | INSERT INTO t (id, twice) SELECT id, id FROM orders;
--   |                    ^^^^^
--   |
--   = help: leave it out
