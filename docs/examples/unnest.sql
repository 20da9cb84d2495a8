CREATE VIEW orders (id, items, notes) AS
SELECT * FROM (VALUES
  (1, ARRAY[('pen', 3), ('ink', 1)], MAP['gift', 'yes', 'paid', 'no']),
  (2, ARRAY[('ink', 2)], CAST(NULL AS MAP<STRING, STRING>))
);

-- A ROW's fields become columns; elements can be numbered.
SELECT id, name, pieces, nth FROM orders CROSS JOIN UNNEST(items) WITH ORDINALITY AS i (name, pieces, nth);
-- LEFT JOIN keeps rows that have no elements. A map has keys and values.
SELECT id, k, v FROM orders LEFT JOIN UNNEST(notes) AS n (k, v) ON TRUE;
-- Parts by position, key and name.
SELECT id, items[1] AS first, notes['paid'] AS paid FROM orders;
