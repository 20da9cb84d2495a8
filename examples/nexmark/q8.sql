-- The two sides of Nexmark q8: new persons, and those who open auctions, of every 10 seconds. The join is still to come.
-- Run it: millstream run examples/nexmark/q8.sql

CREATE TABLE person (
  id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING,
  `dateTime` TIMESTAMP(3), extra STRING,
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
) WITH (
  'connector' = 'nexmark',
  'nexmark.event' = 'person',
  'nexmark.events' = '1000000',
  'nexmark.event-rate' = '20000'
);
CREATE TABLE auction (
  id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT,
  `dateTime` TIMESTAMP(3), expires TIMESTAMP(3), seller BIGINT, category BIGINT, extra STRING,
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
) WITH (
  'connector' = 'nexmark',
  'nexmark.event' = 'auction',
  'nexmark.events' = '1000000',
  'nexmark.event-rate' = '20000'
);

CREATE VIEW persons AS
SELECT id, name, window_start, window_end
FROM TUMBLE(TABLE person, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND)
GROUP BY id, name, window_start, window_end;

CREATE VIEW sellers AS
SELECT seller, window_start, window_end
FROM TUMBLE(TABLE auction, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND)
GROUP BY seller, window_start, window_end;

SELECT 'person' AS kind, id, name, window_start FROM persons
UNION ALL
SELECT 'seller', seller, CAST(NULL AS STRING), window_start FROM sellers;
