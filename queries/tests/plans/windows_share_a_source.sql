-- Windows of a statement set read their table once, whatever their kind.
CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), pt AS PROCTIME(), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');
CREATE TABLE a (we TIMESTAMP(3), c BIGINT) WITH ('connector' = 'blackhole');
CREATE TABLE b (we TIMESTAMP(3), k STRING, s INT) WITH ('connector' = 'blackhole');
CREATE TABLE c (we TIMESTAMP(3), c BIGINT) WITH ('connector' = 'blackhole');
EXECUTE STATEMENT SET BEGIN
INSERT INTO a SELECT window_end, COUNT(*) FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, window_end;
INSERT INTO b SELECT window_end, k, SUM(v) FROM HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '5' MINUTES)
  GROUP BY window_start, window_end, k;
INSERT INTO c SELECT TUMBLE_END(pt, INTERVAL '1' MINUTE), COUNT(*) FROM t GROUP BY TUMBLE(pt, INTERVAL '1' MINUTE);
END;
