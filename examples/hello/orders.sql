-- Revenue by country in windows of two seconds, over orders that are generated as you watch.
-- Run it: millstream demo, or millstream run examples/hello/orders.sql

CREATE TABLE orders (
  id      BIGINT,
  country STRING,
  amount  DECIMAL(10, 2),
  ts      TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '2000',
  'fields.country.values' = 'DE;FR;JP;US',
  'fields.amount.min' = '1',
  'fields.amount.max' = '100'
);

SELECT window_end, country, SUM(amount) AS revenue, COUNT(*) AS orders
FROM TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '2' SECOND)
GROUP BY window_start, window_end, country;
