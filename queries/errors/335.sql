CREATE TABLE bid (auction BIGINT, price BIGINT, channel STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '4' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
-- wrong
CREATE VIEW counts AS
SELECT window_end, COUNT(*) AS n
FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
CREATE VIEW cheap AS SELECT * FROM counts WHERE n < 3;
SELECT * FROM LATE(cheap);
-- right
CREATE VIEW counts AS
SELECT window_end, COUNT(*) AS n
FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
SELECT * FROM LATE(counts);
