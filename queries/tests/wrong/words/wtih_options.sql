CREATE TABLE t (id BIGINT) WTIH ('connector' = 'datagen');
-- says:
-- error[M0100]: expected the end of the statement, found `WTIH`
--  --> wtih_options.sql:1:28
--   |
-- 1 | CREATE TABLE t (id BIGINT) WTIH ('connector' = 'datagen');
--   |                            ^^^^ not expected here
--   |
--   = help: did you mean WITH instead of WTIH?
