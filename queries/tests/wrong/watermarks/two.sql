CREATE TABLE t (a TIMESTAMP(3), b TIMESTAMP(3), WATERMARK FOR a AS a, WATERMARK FOR b AS b) WITH ('connector' = 'datagen');
-- says:
-- error[M0163]: a table has one watermark only
--  --> two.sql:1:71
--   |
-- 1 | CREATE TABLE t (a TIMESTAMP(3), b TIMESTAMP(3), WATERMARK FOR a AS a, WATERMARK FOR b AS b) WITH ('connector' = 'datagen');
--   |                                                                       ^^^^^^^^^^^^^^^^^^^^ the second one
