CREATE TABLE t (id BIGINT, `from` STRING, to STRING, like STRING) WITH ('connector' = 'datagen');
-- says:
-- error[M0109]: expected the name of a column, found the keyword like
--  --> reserved_word_as_column.sql:1:54
--   |
-- 1 | CREATE TABLE t (id BIGINT, `from` STRING, to STRING, like STRING) WITH ('connector' = 'datagen');
--   |                                                      ^^^^
--   |
--   = help: a name that is a keyword is quoted: `like`
