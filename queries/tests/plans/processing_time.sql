-- Time is read off the clock where it is used; windows follow it.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), pt AS PROCTIME(), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');
CREATE TABLE copy (k STRING, pt TIMESTAMP_LTZ(3), day_ STRING) WITH ('connector' = 'blackhole');
CREATE VIEW v AS SELECT k, v + 1 AS v, pt AS at_ FROM t WHERE v > 0;
INSERT INTO copy SELECT k, pt, DATE_FORMAT(pt, 'yyyy-MM-dd') FROM t;
SELECT window_end, window_time, k, SUM(v) AS s FROM TUMBLE(TABLE v, DESCRIPTOR(at_), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end, window_time, k;
SELECT TUMBLE_END(again, INTERVAL '1' HOUR), COUNT(*)
FROM (SELECT HOP_PROCTIME(pt, INTERVAL '1' MINUTE, INTERVAL '2' MINUTES) AS again, k FROM t GROUP BY k, HOP(pt, INTERVAL '1' MINUTE, INTERVAL '2' MINUTES))
GROUP BY TUMBLE(again, INTERVAL '1' HOUR);
