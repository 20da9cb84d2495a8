CREATE TABLE t (id BIGINT) WITH ('format' = 'json');
-- says:
-- error[M0310]: table `t` has no connector
--  --> connector_missing.sql:1:14
--   |
-- 1 | CREATE TABLE t (id BIGINT) WITH ('format' = 'json');
--   |              ^ no option 'connector'
--   |
--   = help: write WITH ('connector' = '…'); `millstream connectors` lists them
