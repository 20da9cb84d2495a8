CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
-- wrong
SELECT U&'\zzzz' FROM t;
-- right
SELECT 'text' FROM t;
