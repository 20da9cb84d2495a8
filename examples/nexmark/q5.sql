-- Nexmark q5 without its join: bids of each auction, and the most that one auction had, in 10-second windows that
-- start every 2 seconds.
-- Run it: millstream run examples/nexmark/q5.sql

CREATE TABLE bid (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING,
  `dateTime` TIMESTAMP(3), extra STRING,
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
) WITH (
  'connector' = 'nexmark',
  'nexmark.event' = 'bid',
  'nexmark.events' = '1000000',
  'nexmark.event-rate' = '20000'
);

CREATE VIEW counts AS
SELECT auction, window_start, window_end, COUNT(*) AS num
FROM HOP(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND)
GROUP BY auction, window_start, window_end;

SELECT window_start, window_end, MAX(num) AS most FROM counts GROUP BY window_start, window_end;
