CREATE TABLE t (id INT, at AS PROCTIME(), WATERMARK FOR at AS at) WITH ('connector' = 'datagen');
-- says:
-- error[M0313]: PROCTIME() has no watermark
--  --> on_processing_time.sql:1:57
--   |
-- 1 | CREATE TABLE t (id INT, at AS PROCTIME(), WATERMARK FOR at AS at) WITH ('connector' = 'datagen');
--   |                                                         ^^
--   |
--   = help: leave the WATERMARK out: the clock of the machine is never late
