CREATE TABLE changes (k BIGINT) WITH ('connector' = 'filesystem', 'path' = 'c.json', 'format' = 'changelog-json');
-- wrong
CREATE TABLE kept (k BIGINT) WITH ('connector' = 'filesystem', 'path' = 'kept', 'format' = 'json');
INSERT INTO kept SELECT k FROM changes;
-- right
CREATE TABLE kept (k BIGINT) WITH ('connector' = 'filesystem', 'path' = 'kept', 'format' = 'changelog-json');
INSERT INTO kept SELECT k FROM changes;
