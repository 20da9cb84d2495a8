CREATE TABLE t (name VARCHAR2) WITH ('connector' = 'datagen');
-- says:
-- error[M0200]: unknown type `VARCHAR2`
--  --> varchar2.sql:1:22
--   |
-- 1 | CREATE TABLE t (name VARCHAR2) WITH ('connector' = 'datagen');
--   |                      ^^^^^^^^
--   |
--   = help: in Flink SQL it is STRING
