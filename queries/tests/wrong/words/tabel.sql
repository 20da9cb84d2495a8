CREATE TABEL t (id BIGINT) WITH ('connector' = 'datagen');
-- says:
-- error[M0100]: expected TABLE or VIEW, found `TABEL`
--  --> tabel.sql:1:8
--   |
-- 1 | CREATE TABEL t (id BIGINT) WITH ('connector' = 'datagen');
--   |        ^^^^^ not expected here
--   |
--   = help: did you mean `TABLE`?
