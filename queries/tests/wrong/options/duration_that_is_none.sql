CREATE TABLE clicks (page STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (
  'connector' = 'kafka', 'topic' = 'clicks', 'properties.bootstrap.servers' = 'localhost:9092', 'format' = 'json',
  'scan.watermark.idle-timeout' = 'soon'
);
SELECT page FROM clicks;
-- says:
-- error[M0311]: option `scan.watermark.idle-timeout`: `soon` is not a duration such as `5 s` or `200 ms`
--  --> duration_that_is_none.sql:3:35
--   |
-- 3 |   'scan.watermark.idle-timeout' = 'soon'
--   |                                   ^^^^^^
--   |
--   = help: `millstream connectors kafka` has its options
