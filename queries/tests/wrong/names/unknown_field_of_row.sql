CREATE TABLE people (address ROW<city STRING, zip STRING>) WITH ('connector' = 'filesystem', 'path' = 'p.json', 'format' = 'json');
SELECT address.ctiy FROM people;
-- says:
-- error[M0402]: the ROW has no field `ctiy`: there are `city`, `zip`
--  --> unknown_field_of_row.sql:2:8
--   |
-- 2 | SELECT address.ctiy FROM people;
--   |        ^^^^^^^^^^^^
--   |
--   = help: `DESCRIBE table;` shows the types of its columns
