-- Many keys in one window, whose result is a row that depends on each of them: what a memory budget has to hold.
SET 'execution.checkpointing.interval' = '{interval}';
CREATE TABLE t (
  k BIGINT, v BIGINT, ts AS TO_TIMESTAMP('2024-01-01 00:00:00'), WATERMARK FOR ts AS ts
) WITH (
  'connector' = 'datagen', 'number-of-rows' = '{keys}', 'seed' = '7',
  'fields.k.kind' = 'sequence', 'fields.k.start' = '1', 'fields.k.end' = '{keys}', 'fields.v.min' = '0', 'fields.v.max' = '1000000'
);
CREATE TABLE counted (number_of_keys BIGINT, bids BIGINT, highest BIGINT, weighted BIGINT)
WITH ('connector' = 'filesystem', 'path' = '{directory}', 'format' = 'csv');
INSERT INTO counted
SELECT COUNT(*), SUM(bids), SUM(highest), SUM(k * MOD(highest, 1000))
FROM (
  SELECT k, window_start, window_end, window_time, COUNT(*) AS bids, MAX(v) AS highest
  FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR)
  GROUP BY k, window_start, window_end, window_time
)
GROUP BY window_start, window_end;
