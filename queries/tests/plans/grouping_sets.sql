-- An aggregation for each set, over rows that are computed once.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), pt AS PROCTIME(), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');
SELECT GROUPING_ID(k, h) AS id, k, h, window_end, COUNT(*) AS c
FROM (SELECT k, HOUR(ts) AS h, v, window_start, window_end FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY GROUPING SETS ((k, h), (k), ()), window_start, window_end HAVING GROUPING(k) = 0 OR COUNT(*) > 1;
SELECT k, window_end, COUNT(*) AS c FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY ROLLUP (k), window_start, window_end EMIT ON UPDATE;
