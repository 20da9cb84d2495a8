-- Bids by auction in windows of ten seconds, written to files exactly once. Kill it while it runs, with kill -9, and run it again:
-- it goes on from its last epoch, and the files are those of an undisturbed run.
-- Run it: OUT=/tmp/busy millstream run examples/exactly-once/busy.sql
-- Have it killed and compared: millstream verify examples/exactly-once/busy.sql --crashes 20

SET 'execution.checkpointing.interval' = '200 ms';

CREATE TABLE bid (
  auction BIGINT, price BIGINT, `dateTime` TIMESTAMP(3),
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
) WITH (
  'connector' = 'nexmark',
  'nexmark.event' = 'bid',
  'nexmark.events' = '${EVENTS:-1000000}',
  'nexmark.event-rate' = '10000'
);

CREATE TABLE busy (window_end TIMESTAMP(3), auction BIGINT, bids BIGINT, highest BIGINT) WITH (
  'connector' = 'filesystem', 'path' = '${OUT:-busy}', 'format' = 'json'
);

INSERT INTO busy
SELECT window_end, auction, COUNT(*) AS bids, MAX(price) AS highest
FROM TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND)
GROUP BY auction, window_start, window_end;
