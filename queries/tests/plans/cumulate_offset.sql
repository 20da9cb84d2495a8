CREATE TABLE bid (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING,
  `dateTime` TIMESTAMP(3), extra STRING,
  pt AS PROCTIME(),
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
SELECT window_start, window_end, window_time, SUM(price), AVG(price), COUNT(DISTINCT bidder), STDDEV_POP(price), APPROX_COUNT_DISTINCT(bidder), APPROX_PERCENTILE(price, 0.9)
FROM TABLE(CUMULATE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '1' HOUR, INTERVAL '1' DAY, INTERVAL '-8' HOURS))
GROUP BY window_start, window_end, window_time;
