CREATE TABLE bid (
  auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
CREATE TABLE changes (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 'changes.json', 'format' = 'changelog-json');
CREATE TABLE a_ (id BIGINT) WITH ('connector' = 'blackhole');
CREATE TABLE b_ (id BIGINT) WITH ('connector' = 'blackhole');
EXPLAIN ESTIMATED_COST, CHANGELOG_MODE SELECT id, 'x' AS y FROM changes;
EXPLAIN STATE FOR SELECT auction, channel, window_end, COUNT(DISTINCT bidder), MAX(price)
FROM HOP(TABLE bid, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '10' SECOND)
GROUP BY auction, channel, window_start, window_end;
EXPLAIN STATE, PLAN_ADVICE SELECT window_end, COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end;
EXPLAIN STATE, CHANGELOG_MODE SELECT window_end, channel, COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end, channel EMIT EVERY INTERVAL '5' SECOND ALLOW LATENESS INTERVAL '1' HOUR;
EXPLAIN STATE SELECT auction FROM bid;
EXPLAIN PLAN_ADVICE SELECT auction FROM bid;
EXPLAIN JSON_EXECUTION_PLAN SELECT auction FROM bid WHERE price > 1;
EXPLAIN PLAN FOR INSERT INTO a_ SELECT auction FROM bid;
EXPLAIN STATEMENT SET BEGIN
INSERT INTO a_ SELECT auction FROM bid;
INSERT INTO b_ SELECT bidder FROM bid;
END;
