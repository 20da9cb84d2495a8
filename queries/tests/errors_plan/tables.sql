-- case missing connector
CREATE TABLE t (a INT) WITH ('format' = 'json');
-- case unknown connector
CREATE TABLE t (a INT) WITH ('connector' = 'kafak');
-- case unknown option
CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = 'x', 'format' = 'json', 'pth' = 'x');
SELECT * FROM t;
-- case missing option
CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'format' = 'json');
SELECT * FROM t;
-- case bad option value
CREATE TABLE t (a INT, ts TIMESTAMP(3)) WITH ('connector' = 'datagen', 'rows-per-second' = 'many');
SELECT * FROM t;
-- case sink without a source
CREATE TABLE t (a INT) WITH ('connector' = 'blackhole');
SELECT * FROM t;
-- case source without a sink
CREATE TABLE t (a INT) WITH ('connector' = 'datagen');
INSERT INTO t SELECT a FROM t;
-- case duplicate table
CREATE TABLE t (a INT) WITH ('connector' = 'datagen');
CREATE TABLE t (a INT) WITH ('connector' = 'datagen');
-- case watermark on text
CREATE TABLE t (a STRING, WATERMARK FOR a AS a) WITH ('connector' = 'datagen');
-- case watermark on a number
CREATE TABLE t (a BIGINT, WATERMARK FOR a AS a) WITH ('connector' = 'datagen');
-- case watermark of too fine a precision
CREATE TABLE t (a TIMESTAMP(6), WATERMARK FOR a AS a) WITH ('connector' = 'datagen');
-- case watermark of a number
CREATE TABLE t (a TIMESTAMP(3), b BIGINT, WATERMARK FOR a AS b) WITH ('connector' = 'datagen');
-- case watermark on a missing column
CREATE TABLE t (ats TIMESTAMP(3), WATERMARK FOR tas AS tas) WITH ('connector' = 'datagen');
-- case watermark with an unknown column
CREATE TABLE t (a TIMESTAMP(3), WATERMARK FOR a AS b - INTERVAL '1' SECOND) WITH ('connector' = 'datagen');
-- case unknown metadata key
CREATE TABLE t (a INT, p INT METADATA FROM 'partitoin') WITH ('connector' = 'kafka', 'topic' = 'x', 'properties.bootstrap.servers' = 'x', 'format' = 'json');
-- case computed column of an unknown column
CREATE TABLE t (a INT, b AS c + 1) WITH ('connector' = 'datagen');
-- case computed column with an unknown function
CREATE TABLE t (a STRING, b AS TO_TIMESTMP(a)) WITH ('connector' = 'datagen');
-- case a number as a timestamp
CREATE TABLE t (a BIGINT, b AS TO_TIMESTAMP(a)) WITH ('connector' = 'datagen');
-- case a broken table is reported once
CREATE TABLE t (a INT) WITH ('connector' = 'kafak');
SELECT * FROM t;
-- case insert into a computed column
CREATE TABLE s (a INT) WITH ('connector' = 'datagen');
CREATE TABLE t (a INT, b AS a + 1) WITH ('connector' = 'blackhole');
INSERT INTO t (a, b) SELECT a, a FROM s;
-- case unknown setting
SET 'table.local-timezone' = 'UTC';
-- case bad setting
SET 'parallelism.default' = 'two';
-- case bad zone
SET 'table.local-time-zone' = 'Mars/Olympus';
-- case partitions of a column that is not written
CREATE TABLE t (x INT, y AS x + 1, z STRING METADATA FROM 'file.path') PARTITIONED BY (y, z) WITH ('connector' = 'filesystem', 'path' = 't', 'format' = 'json');
SELECT x FROM t;
-- case partitions of a type that has no name
CREATE TABLE t (x INT, y ARRAY<INT>) PARTITIONED BY (y) WITH ('connector' = 'filesystem', 'path' = 't', 'format' = 'json');
SELECT x FROM t;
-- case partitions of a topic
CREATE TABLE t (x INT) PARTITIONED BY (x) WITH ('connector' = 'kafka', 'topic' = 'c', 'properties.bootstrap.servers' = 'localhost:9092', 'format' = 'json');
SELECT x FROM t;
-- case a compression that is none
CREATE TABLE t (x INT) WITH ('connector' = 'filesystem', 'path' = 't', 'format' = 'json', 'compression' = 'gzp');
SELECT x FROM t;
-- case standard input written exactly once
CREATE TABLE t (x INT) WITH ('connector' = 'stdin', 'format' = 'json');
CREATE TABLE o (x INT) WITH ('connector' = 'filesystem', 'path' = 'o', 'format' = 'json');
INSERT INTO o SELECT x FROM t;
-- case a file from a pipe
CREATE TABLE t (x INT) WITH ('connector' = 'stdin', 'format' = 'parquet');
SELECT x FROM t;
