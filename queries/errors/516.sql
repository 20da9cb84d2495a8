CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
-- wrong
CREATE TABLE out_t (a INT, b STRING) WITH ('connector' = 'blackhole');
SELECT a FROM t;
-- right
CREATE TABLE out_t (a INT, b STRING) WITH ('connector' = 'blackhole');
INSERT INTO out_t SELECT a, b FROM t;
