CREATE TABLE t (s STRING, i INT, b BIGINT, d DECIMAL(10, 2), f DOUBLE, ts TIMESTAMP(3), l TIMESTAMP_LTZ(3))
WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
SELECT TO_TIMESTAMP(s), TO_TIMESTAMP(s, 'yyyy/MM/dd'), DATE_FORMAT(ts, 'yyyy-MM-dd'), CAST(ts AS STRING), CAST(i AS STRING),
  HOUR(ts), EXTRACT(MINUTE FROM ts), MOD(b, 3), IF(i > 1, 'a', 'b'), i / 2, i + 1, d * 2, d / 3, d + i, d * f,
  UPPER(s), LOWER(s), SUBSTRING(s, 1, 3), SUBSTRING(s FROM 2), CHAR_LENGTH(s), CONCAT(s, '-', s), COALESCE(s, 'x'), NULLIF(i, 0),
  s LIKE 'a%', REGEXP_EXTRACT(s, 'a(b)', 1), SPLIT_INDEX(s, '/', 3), s || 'x', CAST(s AS INT), CAST(f AS DECIMAL(10, 1)), 1e3, TRIM(s), ABS(i), CAST(i > 1 AS STRING),
  ts > TIMESTAMP '2020-01-01 00:00:00', i IN (1, 2, 3), i BETWEEN 1 AND 2, s IS NOT NULL
FROM t WHERE CHAR_LENGTH(s) > 3 AND NOT i = 4;
