CREATE TABLE t (
  id INT, a ARRAY<INT>, m MAP<STRING, INT>, r ROW<x INT, y ROW<z STRING>>, rs ARRAY<ROW<n STRING, v INT>>,
  ts TIMESTAMP(3), WATERMARK FOR ts AS ts
) WITH ('connector' = 'filesystem', 'path' = 't', 'format' = 'json');
CREATE TABLE out_ (x BIGINT, r ROW<p BIGINT, q STRING>) WITH ('connector' = 'blackhole');
SELECT a[1] AS first, a[id + 1] AS nth, m['k'] AS k, r.x, r.y.z, t.r.y.z AS tz, rs[1].n AS n, (r).y AS y FROM t;
INSERT INTO out_ SELECT r.x, ROW(id, n) FROM t CROSS JOIN UNNEST(rs) AS u (n, v) WHERE v > 1 AND id > 2;
SELECT id, k, v FROM t LEFT JOIN UNNEST(m) WITH ORDINALITY AS u (k, v, nth) ON TRUE;
SELECT window_end, x, COUNT(*) AS c FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE), UNNEST(a) AS u (x)
GROUP BY window_start, window_end, x;
SELECT id::STRING AS s, '7'::BIGINT + 1 AS n, a::BIGINT[] AS big FROM t;
