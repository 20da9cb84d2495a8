CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
CREATE TABLE out_t (a INT, b STRING) WITH ('connector' = 'blackhole');
-- wrong
INSERT INTO out_t SELECT b, b FROM t;
-- right
INSERT INTO out_t SELECT CAST(b AS INT), b FROM t;
