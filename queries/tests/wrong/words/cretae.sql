CRETAE TABLE t (id BIGINT) WITH ('connector' = 'datagen');
-- says:
-- error[M0101]: no statement begins with `CRETAE`
--  --> cretae.sql:1:1
--   |
-- 1 | CRETAE TABLE t (id BIGINT) WITH ('connector' = 'datagen');
--   | ^^^^^^
--   |
--   = help: did you mean `CREATE`?
