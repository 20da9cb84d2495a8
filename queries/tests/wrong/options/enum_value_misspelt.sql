CREATE TABLE clicks (page STRING) WITH (
  'connector' = 'kafka', 'topic' = 'clicks', 'properties.bootstrap.servers' = 'localhost:9092', 'format' = 'json',
  'scan.startup.mode' = 'earliest'
);
SELECT page FROM clicks;
-- says:
-- error[M0311]: option `scan.startup.mode`: `earliest` is none of `earliest-offset`, `latest-offset`, `group-offsets`, `timestamp`, `specific-offsets`
--  --> enum_value_misspelt.sql:3:25
--   |
-- 3 |   'scan.startup.mode' = 'earliest'
--   |                         ^^^^^^^^^^
--   |
--   = help: did you mean `earliest-offset`?
