CREATE TABLE t (id BIGINT) WITH ('connector' = 'kafak');
-- says:
-- error[M0311]: there is no connector `kafak`
--  --> connector_misspelt.sql:1:48
--   |
-- 1 | CREATE TABLE t (id BIGINT) WITH ('connector' = 'kafak');
--   |                                                ^^^^^^^
--   |
--   = help: did you mean `kafka`?
