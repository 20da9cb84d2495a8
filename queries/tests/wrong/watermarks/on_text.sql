CREATE TABLE t (at STRING, WATERMARK FOR at AS at - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
-- says:
-- error[M0313]: event time must be TIMESTAMP(3) or TIMESTAMP_LTZ(3), and `at` is STRING
--  --> on_text.sql:1:42
--   |
-- 1 | CREATE TABLE t (at STRING, WATERMARK FOR at AS at - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
--   |                                          ^^ STRING
--   |
--   = help: compute a timestamp column: ts AS TO_TIMESTAMP(`at`)
