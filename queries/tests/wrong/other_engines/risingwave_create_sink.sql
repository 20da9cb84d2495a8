CREATE TABLE orders (id BIGINT, customer STRING, amount DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
CREATE SINK large FROM orders WITH (connector = 'kafka');
-- says:
-- error[M0102]: CREATE SINK is not supported yet
--  --> risingwave_create_sink.sql:3:1
--   |
-- 3 | CREATE SINK large FROM orders WITH (connector = 'kafka');
--   | ^^^^^^^^^^^
--   |
--   = help: sources and sinks are both written CREATE TABLE … WITH ('connector' = …)
