CREATE TABLE t (u TIMESTAMP(3), price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
SELECT window_end, CAST(u AS DATE) AS d, CAST(u AS STRING) AS s, SUM(price) AS a, SUM(CAST(price AS DOUBLE)) AS b, COUNT(*) AS n, COUNT('x') AS m,
  COUNT(DISTINCT 'x') AS one
FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end, CAST(u AS DATE), CAST(u AS STRING), price, price;
