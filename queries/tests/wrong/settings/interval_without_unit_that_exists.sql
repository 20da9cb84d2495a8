SET 'execution.checkpointing.interval' = '10 weeks';
-- says:
-- error[M0315]: `10 weeks` is no value for `execution.checkpointing.interval`
--  --> interval_without_unit_that_exists.sql:1:42
--   |
-- 1 | SET 'execution.checkpointing.interval' = '10 weeks';
--   |                                          ^^^^^^^^^^
--   |
--   = help: a span of time from `10 ms` on, or `0` for no epochs
