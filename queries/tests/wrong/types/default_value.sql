CREATE TABLE t (id INT DEFAULT 0) WITH ('connector' = 'datagen');
-- says:
-- error[M0165]: columns have no DEFAULT
--  --> default_value.sql:1:24
--   |
-- 1 | CREATE TABLE t (id INT DEFAULT 0) WITH ('connector' = 'datagen');
--   |                        ^^^^^^^
--   |
--   = help: leave it out; COALESCE(column, value) in the query does the same
