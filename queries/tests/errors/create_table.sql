-- # an unknown type
CREATE TABLE t (a STRNG, b INT)
-- # types of other dialects
CREATE TABLE a (x CLOB);
CREATE TABLE b (x JSONB);
CREATE TABLE c (x TIMESTAMP_TZ);
CREATE TABLE d (x INT[3]);
CREATE TABLE e (x STRUCT<a INT>)
-- # types that Flink has and we do not
CREATE TABLE a (x MULTISET<INT>);
CREATE TABLE b (x TIMESTAMP(3) WITH TIME ZONE)
-- # parameters out of bounds
CREATE TABLE a (x DECIMAL(40, 2));
CREATE TABLE b (x DECIMAL(5, 6));
CREATE TABLE c (x TIMESTAMP(10));
CREATE TABLE d (x VARCHAR(0))
-- # nested types that are wrong
CREATE TABLE a (x ARRAY<INT);
CREATE TABLE b (x MAP<INT>);
CREATE TABLE c (x ROW<a INT, a INT>);
CREATE TABLE d (x ROW<>)
-- # a column without a type
CREATE TABLE t (a, b INT)
-- # a missing comma
CREATE TABLE t (
  a INT
  b STRING
)
-- # a default value
CREATE TABLE t (a INT DEFAULT 5)
-- # a column twice
CREATE TABLE t (a INT, b INT, a STRING) WITH ('connector' = 'print')
-- # an option twice
CREATE TABLE t (a INT) WITH ('connector' = 'print', 'connector' = 'kafka')
-- # options that are not strings
CREATE TABLE a (x INT) WITH ('rows-per-second' = 10);
CREATE TABLE b (x INT) WITH ('bounded' = true)
-- # an option without a value
CREATE TABLE t (a INT) WITH ('connector')
-- # WITH without brackets
CREATE TABLE t (a INT) WITH 'connector' = 'print'
-- # an enforced key
CREATE TABLE t (a INT, PRIMARY KEY (a))
-- # an enforced key at a column
CREATE TABLE t (a INT PRIMARY KEY)
-- # two keys
CREATE TABLE t (a INT PRIMARY KEY NOT ENFORCED, b INT PRIMARY KEY NOT ENFORCED)
-- # a key of an unknown column
CREATE TABLE t (user_id INT, PRIMARY KEY (userid) NOT ENFORCED)
-- # a watermark of an unknown column
CREATE TABLE t (event_time TIMESTAMP(3), WATERMARK FOR eventtime AS eventtime)
-- # two watermarks
CREATE TABLE t (a TIMESTAMP(3), WATERMARK FOR a, WATERMARK FOR a AS a)
-- # a watermark without an expression
CREATE TABLE t (a TIMESTAMP(3), WATERMARK FOR a IS a - INTERVAL '1' SECOND)
-- # a watermark with a wrong interval
CREATE TABLE t (a TIMESTAMP(3), WATERMARK FOR a AS a - INTERVAL '5 seconds')
-- # a misspelt word behind a column
CREATE TABLE t (a INT METADTA FROM 'x')
-- # clauses that are not supported
CREATE TABLE a (x INT) DISTRIBUTED BY (x) WITH ('connector' = 'print');
CREATE TABLE b (x INT) WITH ('connector' = 'print') DISTRIBUTED BY (x);
CREATE TABLE c WITH ('connector' = 'print') AS SELECT 1
-- # a table of another catalog
CREATE TABLE c.d.t (a INT)
-- # variables that are not set
CREATE TABLE t (a INT) WITH ('connector' = '${KIND}', 'topic' = '${TOPIC:-x}', 'url' = '${URL');
SET 'a' = '${file:/does/not/exist}'
-- # partitions of no column
CREATE TABLE a (x INT) PARTITIONED BY (y) WITH ('connector' = 'filesystem', 'path' = 'a', 'format' = 'json')
