CREATE TABLE t (a DECIMAL(4, 6)) WITH ('connector' = 'datagen');
-- says:
-- error[M0202]: `6` is not a parameter of DECIMAL
--  --> scale_above_precision.sql:1:30
--   |
-- 1 | CREATE TABLE t (a DECIMAL(4, 6)) WITH ('connector' = 'datagen');
--   |                              ^
--   |
--   = help: a number from 0 to 4
