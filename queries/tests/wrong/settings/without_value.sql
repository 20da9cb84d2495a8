SET 'parallelism.default' = ;
-- says:
-- error[M0130]: SET needs a value
--  --> without_value.sql:1:1
--   |
-- 1 | SET 'parallelism.default' = ;
--   | ^^^
--   |
--   = help: write SET 'key' = 'value'
