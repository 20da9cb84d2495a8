CREATE OR REPLACE TABLE t (id BIGINT) WITH ('connector' = 'datagen');
-- says:
-- error[M0102]: CREATE OR REPLACE is not supported yet
--  --> create_or_replace_table.sql:1:1
--   |
-- 1 | CREATE OR REPLACE TABLE t (id BIGINT) WITH ('connector' = 'datagen');
--   | ^^^^^^^^^
--   |
--   = help: leave it out: every run begins without tables; or write DROP … IF EXISTS before
