CREATE TABLE t (a INT) WITH ('connector' = 'datagen');
CREATE TABLE here (a INT) WITH ('connector' = 'kafka', 'topic' = 'x', 'properties.bootstrap.servers' = 'a:9092, b:9092', 'format' = 'json');
CREATE TABLE here_too (a INT) WITH ('connector' = 'kafka', 'topic' = 'y', 'properties.bootstrap.servers' = 'b:9092,a:9092', 'format' = 'json',
  'sink.delivery-guarantee' = 'exactly-once');
CREATE TABLE there (a INT) WITH ('connector' = 'kafka', 'topic' = 'x', 'properties.bootstrap.servers' = 'c:9092', 'format' = 'json',
  'sink.delivery-guarantee' = 'exactly-once');
CREATE TABLE there_roughly (a INT) WITH ('connector' = 'kafka', 'topic' = 'x', 'properties.bootstrap.servers' = 'c:9092', 'format' = 'json',
  'sink.delivery-guarantee' = 'at-least-once');
CREATE TABLE files (a INT) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
CREATE TABLE same_files (a INT) WITH ('connector' = 'filesystem', 'path' = './out/', 'format' = 'json');
-- case exactly once on the console
CREATE TABLE p (a INT) WITH ('connector' = 'print', 'sink.delivery-guarantee' = 'exactly-once');
-- case exactly once is not chosen for files
CREATE TABLE f (a INT) WITH ('connector' = 'filesystem', 'path' = 'x', 'format' = 'json', 'sink.delivery-guarantee' = 'exactly-once');
-- case at least once on the console
CREATE TABLE p (a INT) WITH ('connector' = 'print', 'sink.delivery-guarantee' = 'at-least-once');
-- case a guarantee that does not exist
CREATE TABLE k (a INT) WITH ('connector' = 'kafka', 'topic' = 'x', 'properties.bootstrap.servers' = 'c:9092', 'format' = 'json',
  'sink.delivery-guarantee' = 'once');
-- case two clusters
INSERT INTO here SELECT a FROM t;
INSERT INTO there SELECT a FROM t;
-- case two clusters and one of them roughly
INSERT INTO here SELECT a FROM t;
INSERT INTO there_roughly SELECT a FROM t;
-- case one cluster twice, and files
INSERT INTO here SELECT a FROM t;
INSERT INTO here_too SELECT a FROM t;
INSERT INTO files SELECT a FROM t;
-- case no epochs
SET 'execution.checkpointing.interval' = '0';
INSERT INTO there SELECT a FROM t;
-- case no epochs and no wish
SET 'execution.checkpointing.interval' = '0';
INSERT INTO here SELECT a FROM t;
-- case epochs too long for a transaction
SET 'execution.checkpointing.interval' = '20 min';
INSERT INTO here SELECT a FROM t;
INSERT INTO there_roughly SELECT a FROM t;
-- case one directory twice
INSERT INTO files SELECT a FROM t;
INSERT INTO files SELECT a + 1 FROM t;
-- case one directory by two names
INSERT INTO files SELECT a FROM t;
INSERT INTO same_files SELECT a FROM t;
-- case an interval that is none
SET 'execution.checkpointing.interval' = '1 ms';
SELECT * FROM t;
