CREATE TABLE orders (id BIGINT, items ARRAY<STRING>, customer ROW<name STRING, city STRING>) WITH (
  'connector' = 'filesystem', 'path' = 'orders.json', 'format' = 'json');
-- wrong
CREATE TABLE copies WITH ('path' = 'copies') LIKE orders (INCLUDING OPTIONS);
INSERT INTO copies SELECT * FROM orders;
-- right
CREATE TABLE copies WITH ('path' = 'copies') LIKE orders (OVERWRITING OPTIONS);
INSERT INTO copies SELECT * FROM orders;
