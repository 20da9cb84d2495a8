CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
-- wrong
SELECT a FROM t
SELECT b FROM t;
-- right
SELECT a FROM t;
SELECT b FROM t;
