-- The busiest auctions of a Nexmark auction house: bids and highest price in 10-second windows that
-- start every 2 seconds. One million events, as fast as they can be generated.
-- Run it: millstream run examples/nexmark/bids.sql

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

CREATE VIEW by_auction AS
SELECT auction, window_start, window_end, COUNT(*) AS bids, MAX(price) AS highest
FROM HOP(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND)
GROUP BY auction, window_start, window_end;

SELECT window_end, auction, bids, highest FROM by_auction WHERE bids >= 500;
