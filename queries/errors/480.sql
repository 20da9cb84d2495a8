CREATE TABLE orders (id BIGINT, ts TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
-- wrong
CREATE TABLE days (id BIGINT, ts TIMESTAMP(3), dy AS CAST(ts AS DATE)) PARTITIONED BY (dy)
WITH ('connector' = 'filesystem', 'path' = 'days', 'format' = 'json');
INSERT INTO days SELECT id, ts FROM orders;
-- right
CREATE TABLE days (id BIGINT, ts TIMESTAMP(3), dy DATE) PARTITIONED BY (dy)
WITH ('connector' = 'filesystem', 'path' = 'days', 'format' = 'json');
INSERT INTO days SELECT id, ts, CAST(ts AS DATE) FROM orders;
