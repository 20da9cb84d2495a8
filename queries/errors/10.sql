-- wrong
CREATE TABLE k (a INT) WITH ('connector' = 'kafka', 'topic' = 'a', 'format' = 'json',
  'properties.bootstrap.servers' = '${BROKERS}');
-- right
CREATE TABLE k (a INT) WITH ('connector' = 'kafka', 'topic' = 'a', 'format' = 'json',
  'properties.bootstrap.servers' = '${BROKERS:-localhost:9092}');
