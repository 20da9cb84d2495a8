-- # a misspelt FROM
SELECT a, b FORM t
-- # a misspelt WHERE
SELECT a FROM t WERE a = 1
-- # a misspelt GROUP
SELECT a, COUNT(*) FROM t GRUOP BY a
-- # a misspelt word in a subquery
SELECT * FROM (SELECT a, b FORM t) AS x
-- # a mistake two subqueries deep
SELECT * FROM (SELECT a FROM (SELECT a +, b FROM t) AS y) AS x
-- # nothing to select
SELECT FROM t
-- # the text ends too early
SELECT a FROM t WHERE
-- # a missing comma
SELECT a, b c d FROM t
-- # a name in single quotes
SELECT a AS 'x' FROM t AS 'y'
-- # an interval without a unit
SELECT ts + INTERVAL '10' FROM t
-- # an interval with its unit in the quotes
SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10 minutes')
-- # an interval without quotes
SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL 10 MINUTES))
-- # an interval with a misspelt unit
SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(ts), SIZE => INTERVAL '10' MINUTSE)
-- # an interval that is none
SELECT INTERVAL 'ten' MINUTE, 1 FROM t
-- # an interval with 75 seconds
SELECT INTERVAL '1:75' MINUTE TO SECOND FROM t
-- # a date that does not exist
SELECT DATE '2023-02-29', TIMESTAMP '2024-01-01' FROM t
-- # a cast to an unknown type
SELECT CAST(a AS INTT), b FROM t
-- # a cast in a subquery to a type of another dialect
SELECT * FROM (SELECT TRY_CAST(a AS BIGNUMERIC) FROM t) AS x
-- # a cast without a type
SELECT CAST(a) FROM t
-- # a CASE without END
SELECT CASE WHEN a > 1 THEN 2 FROM t
-- # emission that is not there yet
SELECT a FROM t EMIT ON UPDATE
-- # QUALIFY
SELECT a FROM t GROUP BY a QUALIFI x
-- # a window function with a missing comma
SELECT * FROM TUMBLE(TABLE t DESCRIPTOR(ts), INTERVAL '1' HOUR)
-- # a join without ON
SELECT * FROM a JOIN b WHERE OR
-- # a window function without its bracket
SELECT * FROM TUMBLE TABLE t
-- # UNION of nothing
SELECT 1 UNION ALL
