CREATE TABLE t (id BIGINT) WITH ('connector' = 'stdin', 'format' = 'json');
CREATE TABLE kept (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 'kept', 'format' = 'json');
-- wrong
INSERT INTO kept SELECT id FROM t;
-- right
SET 'execution.checkpointing.interval' = '0';
INSERT INTO kept SELECT id FROM t;
