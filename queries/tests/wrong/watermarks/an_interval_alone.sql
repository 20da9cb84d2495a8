CREATE TABLE t (at TIMESTAMP(3), WATERMARK FOR at AS INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
-- says:
-- error[M0313]: a watermark is a time, not INTERVAL
--  --> an_interval_alone.sql:1:54
--   |
-- 1 | CREATE TABLE t (at TIMESTAMP(3), WATERMARK FOR at AS INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
--   |                                                      ^^^^^^^^^^^^^^^^^^^
--   |
--   = help: write `at` - INTERVAL '5' SECOND
