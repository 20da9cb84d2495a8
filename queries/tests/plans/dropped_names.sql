-- A name that was dropped can be given again; what was said before stays what it was.
CREATE TABLE t (a INT) WITH ('connector' = 'datagen');
CREATE VIEW v AS SELECT a + 1 AS b FROM t;
SELECT b FROM v;
DROP VIEW v;
DROP TABLE t;
CREATE TABLE t (a STRING) WITH ('connector' = 'filesystem', 'path' = 't', 'format' = 'json');
CREATE VIEW v AS SELECT UPPER(a) AS c FROM t;
SELECT c FROM v;
SELECT c || 'x' AS d FROM v;
DROP TABLE IF EXISTS nothing;
