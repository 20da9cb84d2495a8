CREATE TABLE clicks (page STRING) WITH (
  'connector' = 'kafka', 'topic' = 'clicks', 'properties.bootstrap.servers' = 'localhost:9092', 'format' = 'json',
  'scan.startup.mod' = 'earliest-offset'
);
SELECT page FROM clicks;
-- says:
-- error[M0311]: connector `kafka` has no option `scan.startup.mod`
--  --> option_misspelt.sql:3:3
--   |
-- 3 |   'scan.startup.mod' = 'earliest-offset'
--   |   ^^^^^^^^^^^^^^^^^^
--   |
--   = help: did you mean `scan.startup.mode`?
