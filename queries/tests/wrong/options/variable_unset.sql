CREATE TABLE t (id BIGINT) WITH ('connector' = 'filesystem', 'path' = '${NO_SUCH_VARIABLE}', 'format' = 'json');
-- says:
-- error[M0010]: the variable `NO_SUCH_VARIABLE` is not set
--  --> variable_unset.sql:1:71
--   |
-- 1 | CREATE TABLE t (id BIGINT) WITH ('connector' = 'filesystem', 'path' = '${NO_SUCH_VARIABLE}', 'format' = 'json');
--   |                                                                       ^^^^^^^^^^^^^^^^^^^^^
--   |
--   = help: set it, or give a default: ${NO_SUCH_VARIABLE:-default}
