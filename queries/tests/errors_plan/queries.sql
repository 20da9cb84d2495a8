CREATE TABLE bid (
  auction BIGINT, price BIGINT, channel STRING, ts TIMESTAMP(3), pt AS PROCTIME(), plain TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
CREATE TABLE changes (k BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = 'c.json', 'format' = 'changelog-json');
CREATE TABLE out_t (auction BIGINT, name STRING, n INT) WITH ('connector' = 'blackhole');
CREATE VIEW minutes AS SELECT auction, window_start, window_end, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY auction, window_start, window_end;
-- case unknown table
SELECT * FROM bids;
-- case unknown table in a window function
SELECT * FROM TABLE(TUMBLE(TABLE bits, DESCRIPTOR(ts), INTERVAL '1' MINUTE));
-- case unknown column
SELECT auction, prize FROM bid;
-- case unknown column with a qualifier
SELECT b.auctoin FROM bid AS b;
-- case unknown column in WHERE
SELECT auction FROM bid WHERE prise > 1;
-- case unknown column in GROUP BY
SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, chanel;
-- case unknown function
SELECT UPER(channel) FROM bid;
-- case constant that is no regular expression
SELECT auction, REGEXP_EXTRACT(channel, '(a') FROM bid;
-- case number as a time
SELECT auction, CAST(price AS TIMESTAMP(3)) FROM bid;
-- case wrong number of arguments
SELECT auction, MOD(price) FROM bid;
-- case wrong argument type
SELECT auction, HOUR(channel) FROM bid;
-- case wrong aggregate argument
SELECT SUM(channel) FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;
-- case incompatible operands
SELECT auction + ts FROM bid;
-- case text condition
SELECT auction FROM bid WHERE channel;
-- case bad regular type in cast
SELECT CAST(auction AS INTT) FROM bid;
-- case not grouped
SELECT auction, channel, COUNT(*) FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, auction;
-- case group by without window
SELECT channel, COUNT(*) FROM bid GROUP BY channel;
-- case global aggregate
SELECT COUNT(price) FROM bid;
-- case window columns not grouped by
SELECT channel, COUNT(*) FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY channel;
-- case only window_start
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start;
-- case only window_end
SELECT window_end, COUNT(*) FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY channel, window_end;
-- case join
SELECT * FROM bid JOIN minutes ON bid.auction = minutes.auction;
-- case comma join
SELECT * FROM bid, minutes;
-- case order by
SELECT auction FROM bid ORDER BY price;
-- case limit
SELECT auction FROM bid LIMIT 10;
-- case over
SELECT auction, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY ts) FROM bid;
-- case distinct
SELECT DISTINCT auction FROM bid;
-- case in subquery
SELECT auction FROM bid WHERE auction IN (SELECT auction FROM minutes);
-- case exists
SELECT auction FROM bid WHERE EXISTS (SELECT 1 FROM minutes);
-- case scalar subquery
SELECT auction, (SELECT MAX(n) FROM minutes) FROM bid;
-- case union
SELECT auction FROM bid UNION SELECT auction FROM minutes;
-- case except
SELECT auction FROM bid EXCEPT SELECT auction FROM minutes;
-- case union of different widths
SELECT auction, price FROM bid UNION ALL SELECT auction FROM minutes;
-- case values
INSERT INTO out_t VALUES (1, 'a', 2);
-- case values of another type
INSERT INTO out_t VALUES (1, 'a', 'b');
-- case session
SELECT * FROM TABLE(SESSION(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE));
-- case unknown window function
SELECT * FROM TABLE(TUMBEL(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE));
-- case descriptor of a plain column
SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(plain), INTERVAL '1' MINUTE));
-- case descriptor of a computed time
SELECT * FROM TABLE(TUMBLE(TABLE (SELECT auction, ts + INTERVAL '1' SECOND AS ts2 FROM bid), DESCRIPTOR(ts2), INTERVAL '1' MINUTE));
-- case descriptor of an unknown column
SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(tss), INTERVAL '1' MINUTE));
-- case missing size
SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts)));
-- case negative size
SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '-1' MINUTE));
-- case size is a number
SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), 10));
-- case size in months
SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MONTH));
-- case hop size no multiple of slide
SELECT * FROM TABLE(HOP(TABLE bid, DESCRIPTOR(ts), INTERVAL '4' SECONDS, INTERVAL '10' SECONDS));
-- case cumulate size no multiple of step
SELECT * FROM TABLE(CUMULATE(TABLE bid, DESCRIPTOR(ts), INTERVAL '4' SECONDS, INTERVAL '10' SECONDS));
-- case unknown argument name
SELECT * FROM TABLE(TUMBLE(DATA => TABLE bid, TIMECOL => DESCRIPTOR(ts), LENGTH => INTERVAL '4' SECONDS));
-- case window of a changelog
SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE changes, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;
-- case window columns twice
SELECT * FROM TABLE(TUMBLE(TABLE (SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE))), DESCRIPTOR(window_time), INTERVAL '1' MINUTE));
-- case late of a table
SELECT * FROM LATE(bid);
-- case late of a view without windows
CREATE VIEW cheap AS SELECT * FROM minutes WHERE n < 3;
SELECT * FROM LATE(cheap);
-- case insert into unknown table
INSERT INTO outt SELECT auction, channel, 1 FROM bid;
-- case insert into a view
INSERT INTO minutes SELECT * FROM minutes;
-- case insert of too few columns
INSERT INTO out_t SELECT auction FROM bid;
-- case insert of a wrong type
INSERT INTO out_t SELECT auction, channel, price FROM bid;
-- case insert of a wrong type through a wildcard
INSERT INTO out_t SELECT * FROM (SELECT auction, channel, price FROM bid) AS x;
-- case insert into an unknown column
INSERT INTO out_t (auction, nme) SELECT auction, channel FROM bid;
-- case view with a wrong number of names
CREATE VIEW v (a, b, c) AS SELECT auction, price FROM bid;
-- case view with two columns of a name
CREATE VIEW v AS SELECT auction AS x, price AS x FROM bid;
-- case duplicate view
CREATE VIEW minutes AS SELECT * FROM bid;
-- case window with partition by
SELECT * FROM TABLE(TUMBLE(TABLE bid PARTITION BY auction, DESCRIPTOR(ts), INTERVAL '1' MINUTE));
-- case mistakes of several statements
SELECT prize FROM bid;
SELECT chanel FROM bid;
