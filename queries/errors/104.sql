CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
-- wrong
SELECT UPPER(b FROM t;
-- right
SELECT UPPER(b) FROM t;
