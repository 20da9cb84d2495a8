CREATE TABLE t (ts TIMESTAMP(3), WATERMARK ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
-- says:
-- error[M0109]: expected the name of a column, found the keyword WATERMARK
--  --> watermark_without_for.sql:1:34
--   |
-- 1 | CREATE TABLE t (ts TIMESTAMP(3), WATERMARK ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
--   |                                  ^^^^^^^^^
--   |
--   = help: write WATERMARK FOR column AS …; a name that is a keyword is quoted: `WATERMARK`
