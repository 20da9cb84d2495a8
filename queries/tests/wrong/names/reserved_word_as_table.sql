CREATE TABLE order (id BIGINT) WITH ('connector' = 'datagen');
-- says:
-- error[M0109]: expected the name of a table, found the keyword order
--  --> reserved_word_as_table.sql:1:14
--   |
-- 1 | CREATE TABLE order (id BIGINT) WITH ('connector' = 'datagen');
--   |              ^^^^^
--   |
--   = help: a name that is a keyword is quoted: `order`
