CREATE TABLE clicks (page STRING) WITH ('connector' = 'kafka', 'topic' = 'clicks', 'format' = 'json');
SELECT page FROM clicks;
-- says:
-- error[M0311]: table `clicks` lacks the option `properties.bootstrap.servers`
--  --> required_option_missing.sql:1:14
--   |
-- 1 | CREATE TABLE clicks (page STRING) WITH ('connector' = 'kafka', 'topic' = 'clicks', 'format' = 'json');
--   |              ^^^^^^
--   |
--   = help: add 'properties.bootstrap.servers' = '…' to its WITH clause
