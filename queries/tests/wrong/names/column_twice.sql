CREATE TABLE t (id BIGINT, name STRING, id STRING) WITH ('connector' = 'datagen');
-- says:
-- error[M0160]: the column `id` is declared twice
--  --> column_twice.sql:1:41
--   |
-- 1 | CREATE TABLE t (id BIGINT, name STRING, id STRING) WITH ('connector' = 'datagen');
--   |                                         ^^ the second time
