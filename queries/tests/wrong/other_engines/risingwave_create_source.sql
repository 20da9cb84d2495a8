CREATE SOURCE clicks (page VARCHAR) WITH (connector = 'kafka', topic = 'clicks') FORMAT PLAIN ENCODE JSON;
-- says:
-- error[M0102]: CREATE SOURCE is not supported yet
--  --> risingwave_create_source.sql:1:1
--   |
-- 1 | CREATE SOURCE clicks (page VARCHAR) WITH (connector = 'kafka', topic = 'clicks') FORMAT PLAIN ENCODE JSON;
--   | ^^^^^^^^^^^^^
--   |
--   = help: sources and sinks are both written CREATE TABLE … WITH ('connector' = …)
