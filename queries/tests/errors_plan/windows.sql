CREATE TABLE bid (
  auction BIGINT, price BIGINT, channel STRING, ts TIMESTAMP(3), pt AS PROCTIME(), plain TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json');
-- case start of another window
SELECT TUMBLE_START(ts, INTERVAL '2' MINUTE) FROM bid GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE);
-- case start of a hop where there is a tumble
SELECT HOP_START(ts, INTERVAL '1' MINUTE, INTERVAL '1' MINUTE) FROM bid GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE);
-- case start of no window
SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE), auction FROM bid;
-- case group window as a value
SELECT TUMBLE(ts, INTERVAL '1' MINUTE) FROM bid;
-- case group window of an expression
SELECT COUNT(*) FROM bid GROUP BY TUMBLE(ts + INTERVAL '1' SECOND, INTERVAL '1' MINUTE);
-- case group window of a plain column
SELECT COUNT(*) FROM bid GROUP BY TUMBLE(plain, INTERVAL '1' MINUTE);
-- case group window of an unknown column
SELECT COUNT(*) FROM bid GROUP BY TUMBLE(tz, INTERVAL '1' MINUTE);
-- case group window without a length
SELECT COUNT(*) FROM bid GROUP BY TUMBLE(ts);
-- case group window of months
SELECT COUNT(*) FROM bid GROUP BY TUMBLE(ts, INTERVAL '1' MONTH);
-- case two group windows
SELECT COUNT(*) FROM bid GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), TUMBLE(ts, INTERVAL '2' MINUTE);
-- case slide and size swapped
SELECT COUNT(*) FROM bid GROUP BY HOP(ts, INTERVAL '10' MINUTE, INTERVAL '1' MINUTE);
-- case session in group by
SELECT COUNT(*) FROM bid GROUP BY SESSION(ts, INTERVAL '1' MINUTE);
-- case event time of a window over processing time
SELECT TUMBLE_ROWTIME(pt, INTERVAL '1' MINUTE), COUNT(*) FROM bid GROUP BY TUMBLE(pt, INTERVAL '1' MINUTE);
-- case column that is not grouped by beside a group window
SELECT auction, COUNT(*) FROM bid GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE);
-- case group window over a join
SELECT COUNT(*) FROM bid AS a JOIN bid AS b ON a.auction = b.auction GROUP BY TUMBLE(a.ts, INTERVAL '1' MINUTE);
-- case only the start in group by
SELECT COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start;
-- case grouping set without the window
SELECT COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY GROUPING SETS ((window_start, window_end), ());
-- case grouping of no key
SELECT GROUPING(price), COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY ROLLUP (auction), window_start, window_end;
-- case cube of seven keys
SELECT COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY CUBE (auction, price, channel, plain, auction + 1, price + 1, price + 2), window_start, window_end;
-- case too many grouping sets
SELECT COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY CUBE (auction, price, channel, plain), CUBE (price, channel, plain), window_start, window_end;
-- case group by with rollup
SELECT COUNT(*) FROM TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY auction, window_start, window_end WITH ROLLUP;
-- case proctime in a computed column
CREATE TABLE c (a INT, p AS CAST(PROCTIME() AS STRING)) WITH ('connector' = 'datagen');
-- case watermark of processing time
CREATE TABLE c (a INT, ts TIMESTAMP_LTZ(3), p AS PROCTIME(), WATERMARK FOR ts AS p) WITH ('connector' = 'datagen');
-- case proctime with an argument
SELECT PROCTIME(1) FROM bid;
-- case window over a computed proctime
SELECT window_end FROM TUMBLE(TABLE (SELECT pt + INTERVAL '1' SECOND AS p FROM bid), DESCRIPTOR(p), INTERVAL '1' MINUTE);
-- case early results of processing time
SELECT COUNT(*) FROM bid GROUP BY TUMBLE(pt, INTERVAL '1' MINUTE) EMIT ON UPDATE;
