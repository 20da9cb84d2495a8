CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
CREATE TABLE out_t (a INT, b STRING) WITH ('connector' = 'blackhole');
-- wrong
INSERT INTO out_t SELECT a FROM t;
-- right
INSERT INTO out_t (a) SELECT a FROM t;
