-- wrong
CREATE TABLE k (a INT, p INT METADATA FROM 'partitoin') WITH ('connector' = 'kafka', 'topic' = 'a', 'format' = 'json',
  'properties.bootstrap.servers' = 'localhost:9092');
-- right
CREATE TABLE k (a INT, p INT METADATA FROM 'partition') WITH ('connector' = 'kafka', 'topic' = 'a', 'format' = 'json',
  'properties.bootstrap.servers' = 'localhost:9092');
