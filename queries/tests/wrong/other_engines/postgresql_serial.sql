CREATE TABLE t (id SERIAL PRIMARY KEY) WITH ('connector' = 'datagen');
-- says:
-- error[M0200]: unknown type `SERIAL`
--  --> postgresql_serial.sql:1:20
--   |
-- 1 | CREATE TABLE t (id SERIAL PRIMARY KEY) WITH ('connector' = 'datagen');
--   |                    ^^^^^^
--   |
--   = help: in Flink SQL it is INT
