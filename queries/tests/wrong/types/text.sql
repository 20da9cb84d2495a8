CREATE TABLE t (name TEXTT) WITH ('connector' = 'datagen');
-- says:
-- error[M0200]: unknown type `TEXTT`
--  --> text.sql:1:22
--   |
-- 1 | CREATE TABLE t (name TEXTT) WITH ('connector' = 'datagen');
--   |                      ^^^^^
--   |
--   = help: STRING, INT, BIGINT, DOUBLE, DECIMAL(p, s), BOOLEAN, DATE and TIMESTAMP(3) are the usual ones
