CREATE TABLE t (n NUMBER) WITH ('connector' = 'datagen');
-- says:
-- error[M0200]: unknown type `NUMBER`
--  --> number.sql:1:19
--   |
-- 1 | CREATE TABLE t (n NUMBER) WITH ('connector' = 'datagen');
--   |                   ^^^^^^
--   |
--   = help: in Flink SQL it is DECIMAL(p, s)
