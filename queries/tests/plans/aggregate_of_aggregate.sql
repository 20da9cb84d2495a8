CREATE TABLE bid (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING,
  `dateTime` TIMESTAMP(3), extra STRING,
  pt AS PROCTIME(),
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
SELECT cnt, window_start, window_end, COUNT(*) FROM (
  SELECT auction, window_start, window_end, COUNT(DISTINCT bidder) AS cnt
  FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '1' DAY, INTERVAL '8' HOURS))
  GROUP BY auction, window_start, window_end
) GROUP BY cnt, window_start, window_end;
