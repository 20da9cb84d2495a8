SET 'table.local-time-zone' = 'Asia/Shanghai';
CREATE TABLE t (ts BIGINT, v INT, d DECIMAL(10, 2), rowtime AS TO_TIMESTAMP_LTZ(ts, 3), WATERMARK FOR rowtime AS rowtime - INTERVAL '1' SECOND)
WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json', 'scan.watermark.emit.strategy' = 'on-event');
SELECT window_start, window_time, SUM(v), AVG(v), SUM(d), AVG(d)
FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(rowtime), INTERVAL '1' DAY))
GROUP BY window_start, window_end, window_time;
