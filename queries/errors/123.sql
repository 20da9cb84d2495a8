CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
-- wrong
EXPLAIN CREATE VIEW v AS SELECT a FROM t;
-- right
CREATE VIEW v AS SELECT a FROM t;
EXPLAIN SELECT * FROM v;
