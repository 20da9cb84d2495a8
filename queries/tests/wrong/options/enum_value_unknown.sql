CREATE TABLE clicks (page STRING) WITH (
  'connector' = 'kafka', 'topic' = 'clicks', 'properties.bootstrap.servers' = 'localhost:9092', 'format' = 'json',
  'scan.startup.mode' = 'beginning'
);
SELECT page FROM clicks;
-- says:
-- error[M0311]: option `scan.startup.mode`: `beginning` is none of `earliest-offset`, `latest-offset`, `group-offsets`, `timestamp`, `specific-offsets`
--  --> enum_value_unknown.sql:3:25
--   |
-- 3 |   'scan.startup.mode' = 'beginning'
--   |                         ^^^^^^^^^^^
--   |
--   = help: `millstream connectors kafka` has its options
