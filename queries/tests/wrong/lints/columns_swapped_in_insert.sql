CREATE TABLE points (x INT, y INT) WITH ('connector' = 'blackhole');
CREATE TABLE moves (x INT, y INT) WITH ('connector' = 'datagen');
INSERT INTO points SELECT y, x FROM moves;
-- says:
-- warning[M0518]: `y` goes into the column `x` of `points`
--  --> columns_swapped_in_insert.sql:3:27
--   |
-- 3 | INSERT INTO points SELECT y, x FROM moves;
--   |                           ^ columns go by position
--   |
--   = help: the table's columns are x, y
