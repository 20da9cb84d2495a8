CREATE TABLE moves (x INT, y INT) WITH ('connector' = 'datagen');
SELECT x, y FROM moves UNION ALL SELECT y, x FROM moves;
-- says:
-- warning[M0518]: `y` becomes the column `x` of the UNION
--  --> columns_swapped_in_union.sql:2:41
--   |
-- 2 | SELECT x, y FROM moves UNION ALL SELECT y, x FROM moves;
--   |                                         ^ columns go by position
--   |
--   = help: select in the order of the first query: x, y
