CREATE TABLE t (a MAP<STRING>) WITH ('connector' = 'datagen');
-- says:
-- error[M0202]: MAP needs a type of its keys and one of its values
--  --> map_with_one_type.sql:1:29
--   |
-- 1 | CREATE TABLE t (a MAP<STRING>) WITH ('connector' = 'datagen');
--   |                             ^
--   |
--   = help: write MAP<STRING, INT>
