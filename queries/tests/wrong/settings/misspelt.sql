SET 'table.local-timezone' = 'UTC';
-- says:
-- error[M0314]: there is no setting `table.local-timezone`
--  --> misspelt.sql:1:5
--   |
-- 1 | SET 'table.local-timezone' = 'UTC';
--   |     ^^^^^^^^^^^^^^^^^^^^^^
--   |
--   = help: did you mean `table.local-time-zone`?
