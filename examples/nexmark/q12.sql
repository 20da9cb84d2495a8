-- Nexmark q12: bids of each bidder in every second of processing time. Events are paced by the clock; what is in the last,
-- open window when they end gives no result, as on Flink.
-- Run it: millstream run examples/nexmark/q12.sql

CREATE TABLE bid (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING,
  `dateTime` TIMESTAMP(3), extra STRING,
  p_time AS PROCTIME()
) WITH (
  'connector' = 'nexmark',
  'nexmark.event' = 'bid',
  'nexmark.events' = '100000',
  'nexmark.rate' = '20000'
);

SELECT bidder, COUNT(*) AS bid_count, window_start AS starttime, window_end AS endtime
FROM TUMBLE(TABLE bid, DESCRIPTOR(p_time), INTERVAL '1' SECOND)
GROUP BY bidder, window_start, window_end;
