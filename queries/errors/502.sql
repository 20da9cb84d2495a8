-- run
CREATE TABLE orders (id INT) WITH ('connector' = 'filesystem', 'path' = '/no/such/orders.json', 'format' = 'json');
SELECT id FROM orders;
-- says
error[M0502]: table `orders`: there is no file /no/such/orders.json
  = help: / is all that exists of it
