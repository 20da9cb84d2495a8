CREATE TABLE bid (auction BIGINT, price BIGINT, channel STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '4' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
-- wrong
SELECT channel FROM bid WHERE MAX(price) > 5;
-- right
SELECT window_end, channel
FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end, channel
HAVING MAX(price) > 5;
