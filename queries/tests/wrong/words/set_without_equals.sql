SET 'parallelism.default' '4';
-- says:
-- error[M0130]: SET needs a `=` and a value
--  --> set_without_equals.sql:1:1
--   |
-- 1 | SET 'parallelism.default' '4';
--   | ^^^
--   |
--   = help: write SET 'key' = 'value'
