CREATE TABLE t (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 't.json');
SELECT id FROM t;
-- says:
-- error[M0311]: table `t` lacks the option `format`
--  --> format_missing.sql:1:14
--   |
-- 1 | CREATE TABLE t (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 't.json');
--   |              ^
--   |
--   = help: add 'format' = 'json' to its WITH clause
