CREATE TABLE orders (
  id      BIGINT,
  amount  DECIMAL(10, 2) COMMENT 'with tax',
  cents   AS CAST(amount * 100 AS BIGINT),
  ts      TIMESTAMP(3) METADATA FROM 'timestamp',
  PRIMARY KEY (id) NOT ENFORCED,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka', 'topic' = 'orders', 'format' = 'json', 'properties.bootstrap.servers' = 'localhost:9092',
  'properties.sasl.password' = '${PASSWORD:-none}'
);
DESCRIBE orders;
SHOW TABLES LIKE 'o%';
SHOW CREATE TABLE orders;
