CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
-- wrong
SELECT a FROM t WHERE b = "Berlin";
-- right
SELECT a FROM t WHERE b = 'Berlin';
