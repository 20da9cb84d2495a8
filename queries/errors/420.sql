CREATE TABLE bid (auction BIGINT, price BIGINT, channel STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '4' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
-- wrong
SELECT TUMBLE_END(ts, INTERVAL '1' HOUR), COUNT(*) FROM bid GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE);
-- right
SELECT TUMBLE_END(ts, INTERVAL '1' MINUTE), COUNT(*) FROM bid GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE);
