CREATE TABLE t (user_id BIGINT, PRIMARY KEY (userid) NOT ENFORCED) WITH ('connector' = 'datagen');
-- says:
-- error[M0161]: `userid` is not a column of `t`
--  --> of_an_unknown_column.sql:1:46
--   |
-- 1 | CREATE TABLE t (user_id BIGINT, PRIMARY KEY (userid) NOT ENFORCED) WITH ('connector' = 'datagen');
--   |                                              ^^^^^^ not declared
--   |
--   = help: did you mean `user_id`?
