CREATE TABLE t (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = 'fast');
-- says:
-- error[M0311]: option `rows-per-second`: `fast` is not a whole number
--  --> number_that_is_none.sql:1:79
--   |
-- 1 | CREATE TABLE t (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = 'fast');
--   |                                                                               ^^^^^^
--   |
--   = help: `millstream connectors datagen` has its options
