CREATE TABLE bid (auction BIGINT, price BIGINT, channel STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '4' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
-- wrong
CREATE VIEW v AS SELECT auction, price FROM bid;
CREATE VIEW v AS SELECT channel FROM bid;
-- right
CREATE VIEW v AS SELECT auction, price FROM bid;
CREATE VIEW w AS SELECT channel FROM bid;
SELECT * FROM v;
SELECT * FROM w;
