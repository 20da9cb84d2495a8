CREATE TABLE bid (auction BIGINT, price BIGINT, channel STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '4' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
-- wrong
SELECT window_end, channel, GROUPING(price) AS all_channels, COUNT(*) AS n
FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end, ROLLUP (channel);
-- right
SELECT window_end, channel, GROUPING(channel) AS all_channels, COUNT(*) AS n
FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end, ROLLUP (channel);
