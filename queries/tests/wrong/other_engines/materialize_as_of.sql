CREATE TABLE t (id BIGINT) WITH ('connector' = 'datagen') AS OF NOW();
-- says:
-- error[M0164]: CREATE TABLE … AS is not supported
--  --> materialize_as_of.sql:1:59
--   |
-- 1 | CREATE TABLE t (id BIGINT) WITH ('connector' = 'datagen') AS OF NOW();
--   |                                                           ^^
--   |
--   = help: create the table with its columns, and fill it with INSERT INTO … SELECT
