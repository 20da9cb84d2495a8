-- run
CREATE TABLE orders (id INT) WITH ('connector' = 'filesystem', 'path' = 'tests/cli/data/orders.json', 'format' = 'json');
SELECT id FROM orders;
-- says
error[M0500]: table `orders`: tests/cli/data/orders.json:2: column `id`: expected INT, found "two" (byte 7 of the record)
  = help: mend the record, or skip such records with the format's option `ignore-parse-errors`
-- right
CREATE TABLE orders (id INT) WITH ('connector' = 'filesystem', 'path' = 'tests/cli/data/orders.json', 'format' = 'json',
  'json.ignore-parse-errors' = 'true');
SELECT id FROM orders;
