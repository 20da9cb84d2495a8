CREATE TABLE changes (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 'c.json', 'format' = 'changelog-json');
CREATE TABLE kept (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 'kept', 'format' = 'json');
INSERT INTO kept SELECT id FROM changes;
-- says:
-- error[M0513]: the query has updates and deletes, and `kept` writes plain rows
--  --> updates_into_plain_rows.sql:3:13
--   |
-- 2 | CREATE TABLE kept (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 'kept', 'format' = 'json');
--   |                                                                                             ------ has no place for the kind of a row
-- 3 | INSERT INTO kept SELECT id FROM changes;
--   |             ^^^^ takes inserts only
--   |
--   = help: write it with 'format' = 'changelog-json', or to the connector `print`
