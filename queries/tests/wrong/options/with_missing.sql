CREATE TABLE t (id BIGINT);
-- says:
-- error[M0310]: table `t` has no connector
--  --> with_missing.sql:1:14
--   |
-- 1 | CREATE TABLE t (id BIGINT);
--   |              ^ no option 'connector'
--   |
--   = help: write WITH ('connector' = '…'); `millstream connectors` lists them
