CREATE TABLE t (a DECIMAL(50, 2)) WITH ('connector' = 'datagen');
-- says:
-- error[M0202]: `50` is not a parameter of DECIMAL
--  --> decimal_too_long.sql:1:27
--   |
-- 1 | CREATE TABLE t (a DECIMAL(50, 2)) WITH ('connector' = 'datagen');
--   |                           ^^
--   |
--   = help: a number from 1 to 38
