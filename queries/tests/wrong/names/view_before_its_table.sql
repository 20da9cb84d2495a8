CREATE VIEW v AS SELECT page FROM visits;
CREATE TABLE visits (page STRING) WITH ('connector' = 'datagen');
-- says:
-- error[M0300]: there is no table or view `visits`
--  --> view_before_its_table.sql:1:35
--   |
-- 1 | CREATE VIEW v AS SELECT page FROM visits;
--   |                                   ^^^^^^ unknown table
--   |
--   = help: `visits` is created further down: move its CREATE up
