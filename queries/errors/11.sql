-- wrong
CREATE TABLE k (a INT) WITH ('connector' = 'kafka', 'topic' = 'a', 'format' = 'json',
  'properties.bootstrap.servers' = '${file:/does/not/exist}');
-- right
CREATE TABLE k (a INT) WITH ('connector' = 'kafka', 'topic' = 'a', 'format' = 'json',
  'properties.bootstrap.servers' = 'localhost:9092');
