CREATE TABLE t (`group` STRING) WITH ('connector' = 'datagen');
SELECT group FROM t;
-- says:
-- error[M0100]: expected an expression, found `group`
--  --> reserved_word_selected.sql:2:8
--   |
-- 2 | SELECT group FROM t;
--   |        ^^^^^ not expected here
--   |
--   = help: a column of this name is written in backquotes: `group`
