CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE TABLE orders (id BIGINT) WITH ('connector' = 'datagen');
-- says:
-- error[M0305]: `orders` exists already
--  --> table_twice.sql:3:14
--   |
-- 1 | CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
--   |              ------ declared here first
-- 2 | WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
-- 3 | CREATE TABLE orders (id BIGINT) WITH ('connector' = 'datagen');
--   |              ^^^^^^ the second time
--   |
--   = help: choose another name, or write IF NOT EXISTS
