CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
CREATE TABLE files (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
-- wrong
INSERT INTO files SELECT a, b FROM t;
INSERT INTO files SELECT a + 1, b FROM t;
-- right
INSERT INTO files SELECT a, b FROM t UNION ALL SELECT a + 1, b FROM t;
