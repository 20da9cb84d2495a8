CREATE TABLE t (id INT AUTO_INCREMENT) WITH ('connector' = 'datagen');
-- says:
-- error[M0165]: columns have no AUTO_INCREMENT
--  --> auto_increment.sql:1:24
--   |
-- 1 | CREATE TABLE t (id INT AUTO_INCREMENT) WITH ('connector' = 'datagen');
--   |                        ^^^^^^^^^^^^^^
--   |
--   = help: leave it out: rows come from elsewhere, and are taken as they are
