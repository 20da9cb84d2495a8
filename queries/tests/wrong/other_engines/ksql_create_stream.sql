CREATE STREAM clicks (page STRING) WITH (KAFKA_TOPIC = 'clicks', VALUE_FORMAT = 'JSON');
-- says:
-- error[M0102]: CREATE STREAM is not supported yet
--  --> ksql_create_stream.sql:1:1
--   |
-- 1 | CREATE STREAM clicks (page STRING) WITH (KAFKA_TOPIC = 'clicks', VALUE_FORMAT = 'JSON');
--   | ^^^^^^^^^^^^^
--   |
--   = help: sources and sinks are both written CREATE TABLE … WITH ('connector' = …)
