CREATE TABLE t (id, name STRING) WITH ('connector' = 'datagen');
-- says:
-- error[M0165]: the column `id` has no type
--  --> column_without_type.sql:1:17
--   |
-- 1 | CREATE TABLE t (id, name STRING) WITH ('connector' = 'datagen');
--   |                 ^^
--   |
--   = help: write its type behind the name: name STRING
