CREATE TABLE t (
  id BIGINT,
  -- The event times of rows 0 to 5, in seconds after noon.
  ts AS TO_TIMESTAMP(CONCAT('2024-05-01 12:00:', SPLIT_INDEX('03,07,12,05,41,09', ',', id))),
  WATERMARK FOR ts AS ts
) WITH (
  'connector' = 'datagen',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '5',
  'scan.watermark.emit.strategy' = 'on-event'
);

CREATE VIEW counts AS
SELECT window_end, COUNT(*) AS n
FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)
GROUP BY window_start, window_end
EMIT ON WINDOW CLOSE ALLOW LATENESS INTERVAL '30' SECOND;

CREATE TABLE too_late (id BIGINT, ts TIMESTAMP(3)) WITH ('connector' = 'print', 'print-identifier' = 'too late');

SELECT * FROM counts;
INSERT INTO too_late SELECT id, ts FROM LATE(counts);
