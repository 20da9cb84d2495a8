CREATE TABLE t (at TIMESTAMP(3), WATERMARK FOR at AS att - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
-- says:
-- error[M0301]: there is no column `att`
--  --> unknown_column_in_expression.sql:1:54
--   |
-- 1 | CREATE TABLE t (at TIMESTAMP(3), WATERMARK FOR at AS att - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
--   |                                                      ^^^ unknown column
--   |
--   = help: did you mean `at`?
