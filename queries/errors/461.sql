CREATE TABLE bid (auction BIGINT, price BIGINT, channel STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '4' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
-- wrong
SELECT CAST(auction AS TIMESTAMP(3)) AS at FROM bid;
-- right
SELECT TO_TIMESTAMP_LTZ(auction, 3) AS at FROM bid;
