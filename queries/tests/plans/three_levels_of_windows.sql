-- window_time under other names, through views, subqueries and UNION ALL, into windows over windows over windows.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), pt AS PROCTIME(), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');
CREATE VIEW one (minute_, rt, n) AS SELECT window_end, window_time, COUNT(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end, window_time;
CREATE VIEW two AS SELECT window_start AS ws, window_end AS we, window_time AS rowtime, SUM(n) AS n
FROM TUMBLE(TABLE (SELECT rt AS at_, n FROM one WHERE n > 1), DESCRIPTOR(at_), INTERVAL '1' HOUR) GROUP BY window_start, window_end, window_time;
SELECT window_end, MAX(n) AS most FROM CUMULATE(TABLE (SELECT rowtime AS r, n FROM two UNION ALL SELECT rowtime, n + 1 FROM two),
  DESCRIPTOR(r), INTERVAL '6' HOURS, INTERVAL '1' DAY) GROUP BY window_start, window_end;
SELECT e, COUNT(*) FROM (SELECT ws AS s, we AS e, n FROM two) GROUP BY s, e;
