SET 'table.local-time-zone' = 'Berlin';
-- says:
-- error[M0315]: `Berlin` is no value for `table.local-time-zone`
--  --> unknown_zone.sql:1:31
--   |
-- 1 | SET 'table.local-time-zone' = 'Berlin';
--   |                               ^^^^^^^^
--   |
--   = help: a zone such as `Europe/Berlin` or `UTC`
