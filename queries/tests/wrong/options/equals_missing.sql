CREATE TABLE t (id BIGINT) WITH ('connector' 'datagen');
-- says:
-- error[M0100]: expected `=`, found `'datagen'`
--  --> equals_missing.sql:1:46
--   |
-- 1 | CREATE TABLE t (id BIGINT) WITH ('connector' 'datagen');
--   |                                              ^^^^^^^^^ not expected here
--   |
--   = help: is an operator or a comma missing before it?
