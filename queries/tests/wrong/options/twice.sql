CREATE TABLE t (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1', 'rows-per-second' = '2');
-- says:
-- error[M0151]: the option 'rows-per-second' is given twice
--  --> twice.sql:1:84
--   |
-- 1 | CREATE TABLE t (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1', 'rows-per-second' = '2');
--   |                                                                                    ^^^^^^^^^^^^^^^^^ the second time
