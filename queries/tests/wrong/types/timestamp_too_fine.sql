CREATE TABLE t (a TIMESTAMP(12)) WITH ('connector' = 'datagen');
-- says:
-- error[M0202]: `12` is not a parameter of TIMESTAMP
--  --> timestamp_too_fine.sql:1:29
--   |
-- 1 | CREATE TABLE t (a TIMESTAMP(12)) WITH ('connector' = 'datagen');
--   |                             ^^
--   |
--   = help: a number from 0 to 9
