-- Nexmark q11 with tumbling windows instead of sessions: bids of each bidder in every 10 seconds, by the older GROUP BY form.
-- Run it: millstream run examples/nexmark/q11.sql

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

SELECT bidder, COUNT(*) AS bid_count,
  TUMBLE_START(`dateTime`, INTERVAL '10' SECOND) AS starttime, TUMBLE_END(`dateTime`, INTERVAL '10' SECOND) AS endtime
FROM bid
GROUP BY bidder, TUMBLE(`dateTime`, INTERVAL '10' SECOND);
