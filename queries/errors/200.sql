CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
-- wrong
SELECT CAST(b AS INTT) FROM t;
-- right
SELECT CAST(b AS INT) FROM t;
