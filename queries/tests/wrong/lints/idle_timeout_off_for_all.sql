SET 'table.exec.source.idle-timeout' = '0 s';
CREATE TABLE clicks (page STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (
  'connector' = 'kafka', 'topic' = 'clicks', 'properties.bootstrap.servers' = 'localhost:9092', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
SELECT page FROM clicks;
-- says:
-- warning[M0511]: one silent partition of `clicks` would hold all windows back
--  --> idle_timeout_off_for_all.sql:1:40
--   |
-- 1 | SET 'table.exec.source.idle-timeout' = '0 s';
--   |                                        ^^^^^ silent partitions are waited for without end
--   |
--   = help: give a time after which they are not: 'scan.watermark.idle-timeout' = '1 min'
