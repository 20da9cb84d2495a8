CREATE TABLE t (at TIMESTAMP(3), WATERMARK FOR at AS at - 5) WITH ('connector' = 'datagen');
-- says:
-- error[M0303]: `-` has no meaning for TIMESTAMP(3) and BIGINT
--  --> a_number_subtracted.sql:1:54
--   |
-- 1 | CREATE TABLE t (at TIMESTAMP(3), WATERMARK FOR at AS at - 5) WITH ('connector' = 'datagen');
--   |                                                      ^^
--   |
--   = help: convert a value to the type that is wanted: CAST(x AS TYPE)
