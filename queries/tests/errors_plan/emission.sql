CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'kafka', 'topic' = 't', 'properties.bootstrap.servers' = 'b:9092', 'properties.group.id' = 'g', 'format' = 'json');
CREATE TABLE files (k STRING, s INT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
CREATE TABLE changes (k STRING, s INT) WITH ('connector' = 'filesystem', 'path' = 'changes', 'format' = 'changelog-json');
CREATE VIEW early AS SELECT window_start, window_end, window_time, k, SUM(v) AS s FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND) GROUP BY window_start, window_end, window_time, k EMIT ON UPDATE;
-- case a clause of another system
SELECT k, SUM(v) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND) GROUP BY window_start, window_end, k EMIT CHANGES;
-- case half a clause
SELECT k, SUM(v) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND) GROUP BY window_start, window_end, k EMIT ON CLOSE;
-- case no interval
SELECT k, SUM(v) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND) GROUP BY window_start, window_end, k EMIT EVERY 5;
-- case an interval of months
SELECT k, SUM(v) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND) GROUP BY window_start, window_end, k ALLOW LATENESS INTERVAL '1' MONTH;
-- case nothing to emit
SELECT k, v FROM t WHERE v > 1 EMIT ON UPDATE;
-- case an aggregation without a window
SELECT k, SUM(v) FROM t GROUP BY k EMIT ON UPDATE;
-- case updates into lines of json
INSERT INTO files SELECT k, SUM(v) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND) GROUP BY window_start, window_end, k EMIT EVERY INTERVAL '5' SECOND;
-- case updates of a view into lines of json
INSERT INTO files SELECT k, s FROM early;
-- case updates into a changelog
INSERT INTO changes SELECT k, s FROM early WHERE s > 3;
-- case the default clause into lines of json
INSERT INTO files SELECT k, SUM(v) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND) GROUP BY window_start, window_end, k EMIT ON WINDOW CLOSE;
-- case a window over updates
SELECT k, COUNT(*) FROM TUMBLE((SELECT k, window_time AS ts FROM early), DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, window_end, k;
-- case an aggregation of windows over updates
SELECT window_end, COUNT(*) FROM early GROUP BY window_start, window_end;
-- case early results without a delay
SET 'table.exec.emit.early-fire.enabled' = 'true';
SELECT k FROM t;
-- case late results with a delay
SET 'table.exec.emit.late-fire.delay' = '5 s';
SELECT k FROM t;
-- case an alignment without drift
CREATE TABLE a (ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen', 'scan.watermark.alignment.group' = 'g');
SELECT ts FROM a;
-- case an alignment without time
CREATE TABLE a (v INT) WITH ('connector' = 'datagen', 'scan.watermark.alignment.group' = 'g', 'scan.watermark.alignment.max-drift' = '1 min');
SELECT v FROM a;
