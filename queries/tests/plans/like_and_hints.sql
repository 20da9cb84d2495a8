CREATE TABLE base (
  id BIGINT, name STRING, low AS LOWER(name), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH ('connector' = 'filesystem', 'path' = 'base.json', 'format' = 'json');
CREATE TABLE taken (extra STRING) WITH ('path' = 'taken.json') LIKE base;
CREATE TABLE own (low AS UPPER(name), WATERMARK FOR ts AS ts) LIKE base (OVERWRITING GENERATED, OVERWRITING WATERMARKS);
CREATE TABLE out_ (id BIGINT, low STRING, n BIGINT) WITH ('connector' = 'filesystem', 'format' = 'json', 'path' = 'out');
CREATE TABLE days (id BIGINT, low STRING, day STRING, hour INT) PARTITIONED BY (day, hour)
  WITH ('connector' = 'filesystem', 'format' = 'json', 'path' = 'days');
CREATE TABLE more_days WITH ('path' = 'more') LIKE days;
CREATE TABLE no_days PARTITIONED BY (hour) WITH ('path' = 'none') LIKE days (EXCLUDING PARTITIONS);
INSERT INTO more_days SELECT id, low, day, hour FROM no_days;
-- The same hint twice is one table; without it, it is another.
INSERT INTO out_ SELECT id, extra, 1 FROM taken /*+ OPTIONS('path' = 'hinted.json') */;
INSERT INTO out_ /*+ OPTIONS('path' = 'out2') */ SELECT t.id, t.low, 2 FROM taken /*+ OPTIONS('path'='hinted.json') */ AS t;
INSERT INTO out_ /*+ OPTIONS('path' = 'out3') */ SELECT taken.id, low, 3 FROM taken;
INSERT INTO out_ /*+ OPTIONS('path' = 'out4') */ SELECT id, low, COUNT(*)
FROM TUMBLE(TABLE own /*+ OPTIONS('path' = 'own.json') */, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY window_start, window_end, id, low;
