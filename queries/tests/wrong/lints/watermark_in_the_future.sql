CREATE TABLE t (at TIMESTAMP(3), WATERMARK FOR at AS at + INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
-- says:
-- warning[M0514]: the watermark of `t` is ahead of its rows
--  --> watermark_in_the_future.sql:1:54
--   |
-- 1 | CREATE TABLE t (at TIMESTAMP(3), WATERMARK FOR at AS at + INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
--   |                                                      ^^^^^^^^^^^^^^^^^^^^^^^^ almost all rows are late
--   |
--   = help: to wait for late rows, subtract: WATERMARK FOR at AS at - INTERVAL …
