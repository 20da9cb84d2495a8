CREATE TABLE t (event_time TIMESTAMP(3), WATERMARK FOR eventtime AS eventtime) WITH ('connector' = 'datagen');
-- says:
-- error[M0163]: `eventtime` is not a column of `t`
--  --> misspelt_column.sql:1:56
--   |
-- 1 | CREATE TABLE t (event_time TIMESTAMP(3), WATERMARK FOR eventtime AS eventtime) WITH ('connector' = 'datagen');
--   |                                                        ^^^^^^^^^ not declared
--   |
--   = help: did you mean `event_time`?
