-- # a misspelt statement
SELCT a FROM t
-- # another one
CRAETE TABLE t (a INT)
-- # no statement at all
hello world
-- # a statement that begins with a sign
= 1
-- # statements of Flink that are not there yet
DROP FUNCTION f;
SHOW CATALOGS;
DESCRIBE CATALOG c;
USE CATALOG c;
ALTER TABLE t ADD (a INT);
CREATE FUNCTION f AS 'com.example.F';
CREATE OR REPLACE TABLE t (a INT);
CREATE OR ALTER TABLE t (a INT);
CREATE TEMPORARY SYSTEM FUNCTION f AS 'F';
-- # CREATE of something unknown
CREATE TABEL t (a INT)
-- # a semicolon is missing
SET 'a' = 'b'; CREATE VIEW v AS SELECT 1 AS x FROM t
INSERT INTO s SELECT * FROM v
-- # a semicolon is missing behind the options
CREATE TABLE t (a INT) WITH ('connector' = 'print')
SELECT * FROM t
-- # SET without a value
SET 'a' = ;
SET 'a';
SET;
SET TIME ZONE 'UTC'
-- # a statement set without an end
EXECUTE STATEMENT SET BEGIN
INSERT INTO a SELECT 1;
-- # an END without a statement set
INSERT INTO a SELECT 1; END
-- # a query in a statement set
EXECUTE STATEMENT SET BEGIN
INSERT INTO a SELECT 1;
SELECT *
FROM t;
END
-- # a mistake inside of a statement set
EXECUTE STATEMENT SET BEGIN
INSERT INT a SELECT 1;
INSERT INTO b SELECT c d e FROM t;
END;
-- # a statement set inside of a statement set
EXECUTE STATEMENT SET BEGIN
INSERT INTO a SELECT 1;
EXECUTE STATEMENT SET BEGIN INSERT INTO b SELECT 1;
END;
-- # EXECUTE of something else
EXECUTE PLAN 'x'
-- # EXPLAIN of a table
EXPLAIN CREATE TABLE t (a INT) WITH ('connector' = 'print')
-- # EXPLAIN with details that are not there
EXPLAIN ANALYZE SELECT 1;
EXPLAIN CHANGELOG_MODE, ESTIMATED_COTS SELECT 1
-- # INSERT OVERWRITE
INSERT OVERWRITE t SELECT 1
-- # INSERT into a partition
INSERT INTO t PARTITION (d = '1') SELECT 1
-- # INSERT without a query
INSERT INTO t
-- # INSERT of something else than a query
INSERT INTO t (a, b) UPDATE u SET a = 1
-- # a view of an insert
CREATE VIEW v AS INSERT INTO t SELECT 1
-- # a query that deletes
WITH a AS (SELECT 1) DELETE FROM t
-- # a view with a column twice
CREATE VIEW v (a, b, a) AS SELECT 1, 2, 3
-- # a table of another database
INSERT INTO mydb.t SELECT 1
-- # a keyword as a name
CREATE TABLE order (a INT)
-- # a string as a name
CREATE TABLE 'orders' (a INT)
-- # IF EXISTS
CREATE TABLE IF EXISTS t (a INT)
