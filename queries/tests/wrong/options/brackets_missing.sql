CREATE TABLE t (id BIGINT) WITH 'connector' = 'datagen';
-- says:
-- error[M0100]: expected `(`, found `'connector'`
--  --> brackets_missing.sql:1:33
--   |
-- 1 | CREATE TABLE t (id BIGINT) WITH 'connector' = 'datagen';
--   |                                 ^^^^^^^^^^^ not expected here
--   |
--   = help: options stand in brackets: WITH ('connector' = '…')
