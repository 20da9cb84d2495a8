CREATE TABLE bid (auction BIGINT, price BIGINT, channel STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '4' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
-- wrong
SELECT REGEXP_EXTRACT(channel, 'id=([0-9+', 1) AS id FROM bid;
-- right
SELECT REGEXP_EXTRACT(channel, 'id=([0-9]+)', 1) AS id FROM bid;
