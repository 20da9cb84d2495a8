-- Nexmark q7 without its join: the highest price of every 10 seconds.
-- Run it: millstream run examples/nexmark/q7.sql

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

SELECT MAX(price) AS maxprice, window_end
FROM TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND)
GROUP BY window_start, window_end;
