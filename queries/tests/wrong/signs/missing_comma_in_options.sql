CREATE TABLE t (id BIGINT) WITH (
  'connector' = 'datagen'
  'number-of-rows' = '10'
);
-- says:
-- error[M0100]: expected `,` or `)`, found `'number-of-rows'`
--  --> missing_comma_in_options.sql:3:3
--   |
-- 3 |   'number-of-rows' = '10'
--   |   ^^^^^^^^^^^^^^^^ not expected here
--   |
--   = help: is an operator or a comma missing before it?
