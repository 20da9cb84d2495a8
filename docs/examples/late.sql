CREATE TABLE t (
  id BIGINT,
  -- The event times of rows 0 to 6, in seconds after noon; row 7 has none.
  ts AS TO_TIMESTAMP(CONCAT('2024-05-01 12:00:', SPLIT_INDEX('03,12,07,24,05,09,31', ',', id))),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'datagen',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '7',
  'scan.watermark.emit.strategy' = 'on-event'
);

CREATE VIEW counts AS
SELECT window_end, COUNT(*) AS n
FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)
GROUP BY window_start, window_end;

CREATE TABLE too_late (id BIGINT, ts TIMESTAMP(3)) WITH ('connector' = 'print');

SELECT * FROM counts;
INSERT INTO too_late SELECT id, ts FROM LATE(counts);
