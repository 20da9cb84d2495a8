CREATE TABLE t (id INT, a ARRAY<INT>, m MAP<STRING, INT>, r ROW<x INT, y ROW<z STRING>>, s STRING) WITH ('connector' = 'datagen');
CREATE TABLE out_ (a ARRAY<INT>, r ROW<x INT, y STRING>) WITH ('connector' = 'print');
-- case element 0
SELECT a[0] FROM t;
-- case an element by name
SELECT a['x'] FROM t;
-- case an element of a number
SELECT id[1] FROM t;
-- case a slice
SELECT a[1:2] FROM t;
-- case an unknown field
SELECT r.z FROM t;
-- case an unknown field further in
SELECT t.r.y.w FROM t;
-- case a field of an element that has none
SELECT a[1].x FROM t;
-- case an array of different things
SELECT ARRAY[1, r] FROM t;
-- case an empty array
SELECT ARRAY[] FROM t;
-- case a map with an odd one
SELECT MAP['a', 1, 'b'] FROM t;
-- case a row of another length
INSERT INTO out_ SELECT a, ROW(1, 'b', 2) FROM t;
-- case a row of other types
INSERT INTO out_ SELECT a, ROW('a', 'b') FROM t;
-- case unnest of a number
SELECT * FROM t CROSS JOIN UNNEST(id) AS u (x);
-- case unnest of nothing
SELECT * FROM t CROSS JOIN UNNEST() AS u (x);
-- case unnest on a condition
SELECT * FROM t LEFT JOIN UNNEST(a) AS u (x) ON x > 1;
-- case unnest from the right
SELECT * FROM t RIGHT JOIN UNNEST(a) AS u (x) ON TRUE;
-- case unnest with too many names
SELECT * FROM t CROSS JOIN UNNEST(m) AS u (k, v, w);
-- case unnest of an unknown column
SELECT * FROM t CROSS JOIN UNNEST(b) AS u (x);
-- case a join beside unnest
SELECT * FROM t CROSS JOIN UNNEST(a) AS u (x) JOIN t AS t2 ON TRUE;
-- case values of different lengths
VALUES (1, 'a'), (2);
-- case values that do not go together
VALUES (1), (ARRAY[1]);
-- case a value that cannot be computed
SELECT * FROM (VALUES (1), (1 / 0)) AS v (x);
-- case values with a column
INSERT INTO out_ VALUES (id, NULL);
-- case a cast to an unknown type
SELECT s::itneger FROM t;
-- case too few values
INSERT INTO out_ VALUES (ARRAY[1]);
-- case a cast of a row to one of another length
SELECT CAST(r AS ROW<x INT>) FROM t;
-- case a cast of a number within a row to a time
SELECT CAST(r AS ROW<x TIMESTAMP(3), y ROW<z STRING>>) FROM t;
-- case a cast of an array to a number
SELECT CAST(a AS INT) FROM t;
