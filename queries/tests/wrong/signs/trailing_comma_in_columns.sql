CREATE TABLE t (
  id BIGINT,
  name STRING,
) WITH ('connector' = 'datagen');
-- says:
-- error[M0105]: a comma with nothing behind it
--  --> trailing_comma_in_columns.sql:3:14
--   |
-- 3 |   name STRING,
--   |              ^
--   |
--   = help: remove the comma
