CREATE TABLE clicks (page STRING) WITH ('connector' = 'kafka', 'topic' = 'clicks', 'format' = 'json', 'bootstrap.servers' = 'localhost:9092');
SELECT page FROM clicks;
-- says:
-- error[M0311]: connector `kafka` has no option `bootstrap.servers`
--  --> bootstrap_servers_of_kafka.sql:1:103
--   |
-- 1 | CREATE TABLE clicks (page STRING) WITH ('connector' = 'kafka', 'topic' = 'clicks', 'format' = 'json', 'bootstrap.servers' = 'localhos...
--   |                                                                                                       ^^^^^^^^^^^^^^^^^^^
--   |
--   = help: did you mean `properties.bootstrap.servers`?
