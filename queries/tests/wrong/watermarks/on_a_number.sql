CREATE TABLE t (at BIGINT, WATERMARK FOR at AS at) WITH ('connector' = 'datagen');
-- says:
-- error[M0313]: event time must be TIMESTAMP(3) or TIMESTAMP_LTZ(3), and `at` is BIGINT
--  --> on_a_number.sql:1:42
--   |
-- 1 | CREATE TABLE t (at BIGINT, WATERMARK FOR at AS at) WITH ('connector' = 'datagen');
--   |                                          ^^ BIGINT
--   |
--   = help: compute a timestamp column: ts AS TO_TIMESTAMP_LTZ(`at`, 3)
