CREATE TABLE bid (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING,
  `dateTime` TIMESTAMP(3), extra STRING,
  pt AS PROCTIME(),
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
CREATE VIEW cheap AS SELECT auction, price, `dateTime` FROM bid WHERE price < 100;
CREATE VIEW per_minute AS
SELECT auction, window_start, COUNT(*) AS bids
FROM TABLE(TUMBLE(TABLE cheap, DESCRIPTOR(`dateTime`), INTERVAL '1' MINUTE))
WHERE auction > 7
GROUP BY auction, window_start, window_end;
SELECT * FROM per_minute;
