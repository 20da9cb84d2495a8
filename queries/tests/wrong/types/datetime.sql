CREATE TABLE t (at DATETIME) WITH ('connector' = 'datagen');
-- says:
-- error[M0200]: unknown type `DATETIME`
--  --> datetime.sql:1:20
--   |
-- 1 | CREATE TABLE t (at DATETIME) WITH ('connector' = 'datagen');
--   |                    ^^^^^^^^
--   |
--   = help: in Flink SQL it is TIMESTAMP(3)
