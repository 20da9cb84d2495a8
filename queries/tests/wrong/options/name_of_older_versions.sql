CREATE TABLE t (id BIGINT) WITH ('connector.type' = 'kafka', 'connector.topic' = 'clicks');
-- says:
-- error[M0310]: table `t` has no connector
--  --> name_of_older_versions.sql:1:14
--   |
-- 1 | CREATE TABLE t (id BIGINT) WITH ('connector.type' = 'kafka', 'connector.topic' = 'clicks');
--   |              ^ no option 'connector'
--   |
--   = help: write WITH ('connector' = '…'); `millstream connectors` lists them
