-- parallelism 1
CREATE TABLE bid (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING,
  `dateTime` TIMESTAMP(3), extra STRING,
  pt AS PROCTIME(),
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
CREATE TABLE out_t (auction BIGINT, starts TIMESTAMP(3), ends TIMESTAMP(3), bids BIGINT, top BIGINT)
WITH ('connector' = 'blackhole');
INSERT INTO out_t
SELECT auction, window_start, window_end, COUNT(*), MAX(price)
FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '10' SECONDS))
GROUP BY auction, window_start, window_end;
