SELECT id;
-- says:
-- error[M0301]: there is no column `id`
--  --> missing_from.sql:1:8
--   |
-- 1 | SELECT id;
--   |        ^^ unknown column
