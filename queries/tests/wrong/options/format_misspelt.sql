CREATE TABLE t (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'jsn');
SELECT id FROM t;
-- says:
-- error[M0311]: there is no format `jsn`
--  --> format_misspelt.sql:1:92
--   |
-- 1 | CREATE TABLE t (id BIGINT) WITH ('connector' = 'filesystem', 'path' = 't.json', 'format' = 'jsn');
--   |                                                                                            ^^^^^
--   |
--   = help: did you mean `json`?
