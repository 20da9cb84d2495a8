CREATE TABLE out_ (a INT, b DECIMAL(10, 2), c STRING) WITH ('connector' = 'blackhole');
INSERT INTO out_ VALUES (1, 2.5, 'x'), (-2, NULL, 'y');
INSERT INTO out_ (c, a) VALUES ('z', 3);
SELECT 1 AS one, 'a' || 'b' AS ab, ARRAY[1, 2] AS l, MAP['k', 1] AS m, ROW(1, 'x') AS r, (1, 2) AS p;
SELECT x + 1 AS y, z FROM (VALUES (1, 'a'), (3000000000, 'b')) AS v (x, z) WHERE x > 0;
