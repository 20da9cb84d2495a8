CREATE TABLE t (a STRUCT<x INT>) WITH ('connector' = 'datagen');
-- says:
-- error[M0200]: unknown type `STRUCT`
--  --> struct.sql:1:19
--   |
-- 1 | CREATE TABLE t (a STRUCT<x INT>) WITH ('connector' = 'datagen');
--   |                   ^^^^^^
--   |
--   = help: in Flink SQL it is ROW<name type, …>
