CREATE TABLE bid (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING,
  `dateTime` TIMESTAMP(3), extra STRING,
  pt AS PROCTIME(),
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
CREATE TABLE out_t (auction BIGINT, starts TIMESTAMP(3), ends TIMESTAMP(3), bids BIGINT, top BIGINT)
WITH ('connector' = 'blackhole');
INSERT INTO out_t (bids, auction) SELECT 1, auction FROM bid;
