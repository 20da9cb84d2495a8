CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
-- wrong
SELECT b FROM t WHERE a == 1;
-- right
SELECT b FROM t WHERE a = 1;
