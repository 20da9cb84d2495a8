CREATE TABLE t (ts TIMESTAMP(3), WATERMARK FOR ts = ts - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
-- says:
-- error[M0100]: expected AS, found `=`
--  --> watermark_is.sql:1:51
--   |
-- 1 | CREATE TABLE t (ts TIMESTAMP(3), WATERMARK FOR ts = ts - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
--   |                                                   ^ not expected here
--   |
--   = help: write WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
