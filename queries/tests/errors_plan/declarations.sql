CREATE TABLE src (id BIGINT, name STRING, low AS LOWER(name), `offset` BIGINT METADATA VIRTUAL, ts TIMESTAMP(3), PRIMARY KEY (id) NOT ENFORCED, WATERMARK FOR ts AS ts)
WITH ('connector' = 'kafka', 'topic' = 'x', 'properties.bootstrap.servers' = 'x', 'format' = 'json');
CREATE VIEW v AS SELECT id FROM src;
-- case like of nothing
CREATE TABLE t LIKE scr;
-- case like of a view
CREATE TABLE t LIKE v;
-- case a column that is there already
CREATE TABLE t (name STRING) LIKE src;
-- case a computed column that is there already
CREATE TABLE t (low AS UPPER(name)) LIKE src;
-- case metadata that is there already
CREATE TABLE t (`offset` BIGINT METADATA) LIKE src;
-- case a column of another kind
CREATE TABLE t (name AS 'x') LIKE src (OVERWRITING GENERATED);
-- case a second watermark
CREATE TABLE t (WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) LIKE src;
-- case a second key
CREATE TABLE t (PRIMARY KEY (name) NOT ENFORCED) LIKE src;
-- case an option that is there already
CREATE TABLE t WITH ('topic' = 'y') LIKE src (INCLUDING OPTIONS);
-- case partitions that are there already
CREATE TABLE days (day STRING, id INT) PARTITIONED BY (day) WITH ('connector' = 'filesystem', 'path' = 'd', 'format' = 'json');
CREATE TABLE t PARTITIONED BY (id) LIKE days;
CREATE TABLE u PARTITIONED BY (dya) LIKE days (EXCLUDING PARTITIONS);
-- case a key that LIKE leaves out
CREATE TABLE t (PRIMARY KEY (lowe) NOT ENFORCED) LIKE src (EXCLUDING CONSTRAINTS);
-- case a misspelt part
CREATE TABLE t LIKE src (INCLUDING OPTION);
-- case a misspelt rule
CREATE TABLE t LIKE src (EXCLUDE ALL);
-- case keys are not overwritten
CREATE TABLE t LIKE src (OVERWRITING CONSTRAINTS);
-- case a part twice
CREATE TABLE t LIKE src (INCLUDING OPTIONS EXCLUDING OPTIONS);
-- case drop of nothing
DROP TABLE scr;
-- case drop of a view as a table
DROP TABLE v;
-- case drop of a table as a view
DROP VIEW IF EXISTS src;
-- case drop of what cannot be
DROP FUNCTION f;
-- case read after drop
DROP VIEW v;
SELECT * FROM v;
-- case dropped if it is there, and read
DROP TABLE IF EXISTS src; DROP TABLE IF EXISTS src;
INSERT INTO src VALUES (1, 'a', TIMESTAMP '2024-01-01 00:00:00');
-- case describe of nothing
DESCRIBE srcc;
-- case describe of what cannot be
DESCRIBE DATABASE x;
-- case show of what cannot be
SHOW CATALOGS;
-- case a misspelt show
SHOW TABELS;
-- case show create of the other kind
SHOW CREATE VIEW src; SHOW CREATE TABLE v;
-- case another database
SHOW TABLES FROM other;
-- case not without like
SHOW TABLES NOT 'x';
-- case reset of an unknown key
RESET 'paralelism.default';
-- case a hint with an unknown option
SELECT * FROM src /*+ OPTIONS('scan.startup.mod' = 'earliest-offset') */;
-- case a hint with a bad value
SELECT id FROM src /*+ OPTIONS('scan.startup.mode' = 'first') */ AS s;
-- case a hint on a view
SELECT * FROM v /*+ OPTIONS('scan.startup.mode' = 'earliest-offset') */;
-- case a hint behind nothing
SELECT /*+ OPTIONS('a' = 'b') */ * FROM src;
-- case a hint on an insert with an unknown option
CREATE TABLE t (id BIGINT) WITH ('connector' = 'print');
INSERT INTO t /*+ OPTIONS('prnt-identifier' = 'x') */ SELECT id FROM src;
-- case a hint that is no text
SELECT * FROM src /*+ OPTIONS('a' = 1) */;
-- case hints of another dialect
SELECT * FROM src WITH (NOLOCK);
-- case create or alter
CREATE OR ALTER TABLE t (a INT) WITH ('connector' = 'print');
-- case explain analyze
EXPLAIN ANALYZE SELECT * FROM src;
-- case tables of users
SHOW USER TABLES;
