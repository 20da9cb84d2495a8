CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
-- wrong
SELECT b FROM t WHERE b = 'it's';
-- right
SELECT b FROM t WHERE b = 'it''s';
