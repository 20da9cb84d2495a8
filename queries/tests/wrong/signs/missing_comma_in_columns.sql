CREATE TABLE t (
  id BIGINT
  name STRING
) WITH ('connector' = 'datagen');
-- says:
-- error[M0100]: expected `,` or `)` behind the column, found `name`
--  --> missing_comma_in_columns.sql:3:3
--   |
-- 3 |   name STRING
--   |   ^^^^ not expected here
