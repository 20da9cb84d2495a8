CREATE TABLE t (id BIGINT) WITH ('connector' = 'jdbc', 'url' = 'jdbc:postgresql://db/shop');
-- says:
-- error[M0311]: there is no connector `jdbc`
--  --> connector_of_another_engine.sql:1:48
--   |
-- 1 | CREATE TABLE t (id BIGINT) WITH ('connector' = 'jdbc', 'url' = 'jdbc:postgresql://db/shop');
--   |                                                ^^^^^^
--   |
--   = help: one of `kafka`, `filesystem`, `stdin`, `datagen`, `nexmark`, `print`, `blackhole`
