-- wrong
CREATE TABLE g (ts TIMESTAMP(3)) WITH ('connector' = 'datagen', 'scan.watermark.idle-timeout' = '1 min');
SELECT ts FROM g;
-- right
CREATE TABLE g (ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen', 'scan.watermark.idle-timeout' = '1 min');
SELECT ts FROM g;
