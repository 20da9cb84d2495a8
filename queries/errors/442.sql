CREATE TABLE bid (auction BIGINT, price BIGINT, channel STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '4' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
-- wrong
CREATE TABLE counts (ends TIMESTAMP(3), n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'counts', 'format' = 'json');
INSERT INTO counts SELECT window_end, COUNT(*)
FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end EMIT EVERY INTERVAL '5' SECOND;
-- right
CREATE TABLE counts (ends TIMESTAMP(3), n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'counts', 'format' = 'changelog-json');
INSERT INTO counts SELECT window_end, COUNT(*)
FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end EMIT EVERY INTERVAL '5' SECOND;
