-- Open loop: 110,000 events a second, 92 % of them bids, event time by the schedule, counted by auction in windows of a tenth of a second.
-- millstream run benches/compare/latency.sql -o none --for 20s     prints the latency of results
CREATE TABLE bid (
  auction BIGINT, price BIGINT, `dateTime` TIMESTAMP(3),
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '1' SECOND
) WITH (
  'connector' = 'nexmark', 'nexmark.event' = 'bid',
  'nexmark.rate' = '110000', 'nexmark.event-rate' = '110000'
);
SELECT auction, window_end, COUNT(*) AS bids, MAX(price) AS highest
FROM TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '0.1' SECOND)
GROUP BY auction, window_start, window_end;
