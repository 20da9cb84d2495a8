CREATE TABLE t (id BIGINT, PRIMARY KEY (id)) WITH ('connector' = 'datagen');
-- says:
-- error[M0162]: a primary key cannot be enforced
--  --> not_enforced_missing.sql:1:28
--   |
-- 1 | CREATE TABLE t (id BIGINT, PRIMARY KEY (id)) WITH ('connector' = 'datagen');
--   |                            ^^^^^^^^^^^^^^^^
--   |
--   = help: write NOT ENFORCED behind it: the key is taken on trust
