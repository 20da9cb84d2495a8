CREATE TABLE bid (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING,
  `dateTime` TIMESTAMP(3), extra STRING,
  pt AS PROCTIME(),
  WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
CREATE VIEW per_minute AS
SELECT auction, window_start, window_end, COUNT(*) AS bids, MAX(price) AS top
FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '1' MINUTE))
GROUP BY auction, window_start, window_end;
CREATE TABLE busy (auction BIGINT, bids BIGINT) WITH ('connector' = 'blackhole');
CREATE TABLE dear (auction BIGINT, top BIGINT) WITH ('connector' = 'blackhole');
EXECUTE STATEMENT SET BEGIN
INSERT INTO busy SELECT auction, bids FROM per_minute WHERE bids > 10;
INSERT INTO dear SELECT auction, top FROM per_minute WHERE top > 1000;
END;
