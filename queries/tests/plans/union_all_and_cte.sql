CREATE TABLE bid (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING,
  `dateTime` TIMESTAMP(3), extra STRING,
  pt AS PROCTIME(),
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
WITH cheap AS (SELECT auction, price, `dateTime` FROM bid WHERE price < 10),
dear AS (SELECT auction, price, `dateTime` FROM bid WHERE price > 1000),
both_ends AS (SELECT * FROM cheap UNION ALL SELECT * FROM dear)
SELECT window_start, SUM(price) AS total
FROM TABLE(TUMBLE(TABLE both_ends, DESCRIPTOR(`dateTime`), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end;
