CREATE TABLE clicks (page STRING, p INT METADATA FROM 'partitoin') WITH (
  'connector' = 'kafka', 'topic' = 'clicks', 'properties.bootstrap.servers' = 'localhost:9092', 'format' = 'json',
  'scan.startup.mode' = 'earliest-offset'
);
SELECT page FROM clicks;
-- says:
-- error[M0312]: the connector `kafka` has no metadata `partitoin`
--  --> metadata_misspelt.sql:1:55
--   |
-- 1 | CREATE TABLE clicks (page STRING, p INT METADATA FROM 'partitoin') WITH (
--   |                                                       ^^^^^^^^^^^
--   |
--   = help: did you mean `partition`?
