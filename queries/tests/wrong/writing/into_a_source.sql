CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE TABLE t (id BIGINT) WITH ('connector' = 'datagen');
INSERT INTO t SELECT id FROM orders;
-- says:
-- error[M0311]: table `t` cannot be written: connector `datagen` can only be read
--  --> into_a_source.sql:3:48
--   |
-- 3 | CREATE TABLE t (id BIGINT) WITH ('connector' = 'datagen');
--   |                                                ^^^^^^^^^
--   |
--   = help: `millstream connectors` says what can be read and what written
