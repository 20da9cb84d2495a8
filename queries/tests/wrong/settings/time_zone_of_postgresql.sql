SET TIME ZONE 'Europe/Berlin';
-- says:
-- error[M0130]: SET TIME ZONE does not exist
--  --> time_zone_of_postgresql.sql:1:5
--   |
-- 1 | SET TIME ZONE 'Europe/Berlin';
--   |     ^^^^
--   |
--   = help: write SET 'table.local-time-zone' = 'Europe/Berlin'
