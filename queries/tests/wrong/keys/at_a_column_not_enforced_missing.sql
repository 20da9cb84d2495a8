CREATE TABLE t (id BIGINT PRIMARY KEY, name STRING) WITH ('connector' = 'datagen');
-- says:
-- error[M0162]: a primary key cannot be enforced
--  --> at_a_column_not_enforced_missing.sql:1:27
--   |
-- 1 | CREATE TABLE t (id BIGINT PRIMARY KEY, name STRING) WITH ('connector' = 'datagen');
--   |                           ^^^^^^^^^^^
--   |
--   = help: write NOT ENFORCED behind it: the key is taken on trust
