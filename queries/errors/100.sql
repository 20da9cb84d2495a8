CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
-- wrong
SELECT a b c FROM t;
-- right
SELECT a, b AS c FROM t;
