CREATE TABLE orders (
  id BIGINT NOT NULL COMMENT 'the key',
  amount DECIMAL(10, 2),
  cents AS CAST(amount * 100 AS BIGINT) COMMENT 'in cents',
  half DOUBLE GENERATED ALWAYS AS (amount / 2),
  part INT METADATA FROM 'partition' VIRTUAL,
  `timestamp` TIMESTAMP_LTZ(3) METADATA,
  pt AS PROCTIME(),
  items ARRAY<ROW<name STRING NOT NULL 'what', n INT>>,
  PRIMARY KEY (id) NOT ENFORCED,
  WATERMARK FOR `timestamp` AS `timestamp` - INTERVAL '5' SECOND
) COMMENT 'orders of the ''shop''' WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = '${BROKERS:-localhost:9092}',
  'properties.sasl.jaas.config' = 'user="me" password="hunter2";',
  'properties.ssl.key.password' = '${KEY_PASSWORD:-hunter2}',
  format = 'json'
);
DESCRIBE orders;
SHOW COLUMNS FROM orders LIKE '%t%';
SHOW CREATE TABLE orders;
CREATE TEMPORARY VIEW per_minute (w, n) COMMENT 'orders a minute' AS
SELECT window_time, COUNT(*) FROM TUMBLE(TABLE orders /*+ OPTIONS('properties.group.id' = 'g', 'properties.sasl.jaas.config' = 'hunter2') */, DESCRIPTOR(`timestamp`), INTERVAL '1' MINUTE)
GROUP BY window_start, window_end, window_time;
DESC per_minute;
SHOW CREATE VIEW per_minute;
CREATE TABLE `a b` WITH ('connector' = 'print') LIKE orders (EXCLUDING ALL);
SHOW CREATE TABLE `a b`;
SHOW TABLES;
SHOW VIEWS;
SHOW TABLES IN default_catalog.default_database NOT LIKE 'per%';
CREATE TABLE days (id BIGINT, day DATE) COMMENT 'by day' PARTITIONED BY (day) WITH ('connector' = 'filesystem', 'path' = 'd', 'format' = 'json');
SHOW CREATE TABLE days;
CREATE TABLE later WITH ('path' = 'e') LIKE days;
SHOW CREATE TABLE later;
DROP TABLE days;
DROP TABLE later;
DROP TABLE `a b`;
SHOW TABLES;
SHOW FUNCTIONS ILIKE 'REGEXP\_EX%';
SHOW USER FUNCTIONS;
