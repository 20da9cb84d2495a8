CREATE TABLE bid (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING,
  `dateTime` TIMESTAMP(3), extra STRING,
  pt AS PROCTIME(),
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
SELECT auction, COUNT(*) AS bids
FROM HOP(DATA => TABLE bid, TIMECOL => DESCRIPTOR(`dateTime`), SLIDE => INTERVAL '2' SECONDS, SIZE => INTERVAL '10' SECONDS)
GROUP BY window_end, auction, window_start
HAVING COUNT(*) > 5;
