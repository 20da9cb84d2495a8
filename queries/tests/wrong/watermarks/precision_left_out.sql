CREATE TABLE t (at TIMESTAMP, WATERMARK FOR at AS at - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
-- says:
-- error[M0313]: event time must be TIMESTAMP(3) or TIMESTAMP_LTZ(3), and `at` is TIMESTAMP(6)
--  --> precision_left_out.sql:1:45
--   |
-- 1 | CREATE TABLE t (at TIMESTAMP, WATERMARK FOR at AS at - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
--   |                                             ^^ TIMESTAMP(6)
--   |
--   = help: declare it as TIMESTAMP(3), or compute one: ts AS CAST(`at` AS TIMESTAMP(3))
