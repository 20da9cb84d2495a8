-- Nine rows, 7 seconds apart, from 12:00:00 to 12:00:56.
CREATE TABLE t (
  id BIGINT,
  ts AS TO_TIMESTAMP(CONCAT('2024-05-01 12:00:', LPAD(CAST(id * 7 AS STRING), 2, '0'))),
  WATERMARK FOR ts AS ts
) WITH (
  'connector' = 'datagen',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '8'
);

CREATE VIEW tumbling AS
SELECT 'tumble' AS kind, window_start, window_end, COUNT(*) AS n
FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '30' SECOND)
GROUP BY window_start, window_end;

CREATE VIEW hopping AS
SELECT 'hop' AS kind, window_start, window_end, COUNT(*) AS n
FROM HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '30' SECOND, INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;

CREATE VIEW cumulating AS
SELECT 'cumulate' AS kind, window_start, window_end, COUNT(*) AS n
FROM CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '30' SECOND, INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;

SELECT kind, DATE_FORMAT(window_start, 'HH:mm:ss') AS starts, DATE_FORMAT(window_end, 'HH:mm:ss') AS ends, n
FROM (SELECT * FROM tumbling UNION ALL SELECT * FROM hopping UNION ALL SELECT * FROM cumulating);
