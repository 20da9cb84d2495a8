CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
-- wrong
SELECT a, b, FROM t;
-- right
SELECT a, b FROM t;
