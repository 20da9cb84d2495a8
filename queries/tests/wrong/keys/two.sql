CREATE TABLE t (a INT PRIMARY KEY NOT ENFORCED, b INT PRIMARY KEY NOT ENFORCED) WITH ('connector' = 'datagen');
-- says:
-- error[M0161]: a table has one primary key only
--  --> two.sql:1:55
--   |
-- 1 | CREATE TABLE t (a INT PRIMARY KEY NOT ENFORCED, b INT PRIMARY KEY NOT ENFORCED) WITH ('connector' = 'datagen');
--   |                                                       ^^^^^^^^^^^^^^^^^^^^^^^^ the second one
--   |
--   = help: a key of several columns is PRIMARY KEY (a, b) NOT ENFORCED
