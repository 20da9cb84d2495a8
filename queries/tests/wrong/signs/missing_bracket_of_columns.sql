CREATE TABLE t (id BIGINT, name STRING
WITH ('connector' = 'datagen');
-- says:
-- error[M0104]: `(` is never closed
--  --> missing_bracket_of_columns.sql:1:16
--   |
-- 1 | CREATE TABLE t (id BIGINT, name STRING
--   |                ^ opened here
--   |
--   = help: add `)` where it ends
