CREATE TABLE t (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'json');
CREATE TABLE out_t (a INT, b STRING) WITH ('connector' = 'blackhole');
-- wrong
EXECUTE STATEMENT SET BEGIN
INSERT INTO out_t SELECT a, b FROM t;
-- right
EXECUTE STATEMENT SET BEGIN
INSERT INTO out_t SELECT a, b FROM t;
END;
