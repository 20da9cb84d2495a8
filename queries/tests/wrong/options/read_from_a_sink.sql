CREATE TABLE t (id BIGINT) WITH ('connector' = 'blackhole');
SELECT id FROM t;
-- says:
-- error[M0311]: table `t` cannot be read: connector `blackhole` can only be written
--  --> read_from_a_sink.sql:1:48
--   |
-- 1 | CREATE TABLE t (id BIGINT) WITH ('connector' = 'blackhole');
--   |                                                ^^^^^^^^^^^
--   |
--   = help: `millstream connectors` says what can be read and what written
