CREATE TABLE t (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = 10);
-- says:
-- error[M0150]: the value of 'rows-per-second' is not a string
--  --> number_without_quotes.sql:1:79
--   |
-- 1 | CREATE TABLE t (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = 10);
--   |                                                                               ^^
--   |
--   = help: write '10'
