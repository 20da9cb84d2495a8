CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
CREATE TABLE out_t (a INT, b STRING) WITH ('connector' = 'blackhole');
-- wrong
CREATE VIEW v AS INSERT INTO out_t SELECT a, b FROM t;
-- right
CREATE VIEW v AS SELECT a, b FROM t;
INSERT INTO out_t SELECT * FROM v;
