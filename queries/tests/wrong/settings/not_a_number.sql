SET 'parallelism.default' = 'all';
-- says:
-- error[M0315]: `all` is no value for `parallelism.default`
--  --> not_a_number.sql:1:29
--   |
-- 1 | SET 'parallelism.default' = 'all';
--   |                             ^^^^^
--   |
--   = help: a whole number from 1 to 256
