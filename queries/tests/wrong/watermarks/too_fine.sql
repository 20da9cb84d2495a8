CREATE TABLE t (at TIMESTAMP(6), WATERMARK FOR at AS at) WITH ('connector' = 'datagen');
-- says:
-- error[M0313]: event time must be TIMESTAMP(3) or TIMESTAMP_LTZ(3), and `at` is TIMESTAMP(6)
--  --> too_fine.sql:1:48
--   |
-- 1 | CREATE TABLE t (at TIMESTAMP(6), WATERMARK FOR at AS at) WITH ('connector' = 'datagen');
--   |                                                ^^ TIMESTAMP(6)
--   |
--   = help: declare it as TIMESTAMP(3), or compute one: ts AS CAST(`at` AS TIMESTAMP(3))
