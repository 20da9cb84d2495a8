-- # a string that is not closed
SELECT 1;
SELECT 'abc FROM t;
SELECT 2;
-- # a name that is not closed
SELECT `abc FROM t
-- # a comment that is not closed
SELECT 1 /* and so on
-- # a double quote that is not closed
SELECT "abc FROM t
-- # a character that begins nothing
SELECT a ⊕ b FROM t
-- # a broken hexadecimal string
SELECT X'abc' || U&'\zzzz' FROM t
-- # a bracket that is not closed
SELECT COUNT(DISTINCT (a) FROM t
-- # a bracket that closes nothing
SELECT a) FROM t
-- # brackets that do not match
SELECT f(a] FROM t
-- # double quotes
SELECT "name" FROM t WHERE city = "Berlin"
-- # casts with colons
SELECT a::itn, b FROM t WHERE a = 1
-- # two equals signs
SELECT a, b FROM t WHERE a == 1
-- # placeholders
SELECT * FROM t WHERE a = ?
-- # a comma with nothing behind it
SELECT a, b, FROM t
-- # a comma at the end of the columns
CREATE TABLE t (
  a INT,
  b STRING,
) WITH ('connector' = 'print')
-- # brackets a hundred deep
SELECT ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))
-- # several mistakes in several statements
CREATE TABLE a (x INY) WITH ('connector' = 'print');
SELECT x FORM a;
INSERT INTO a SELECT 1;
SELEC 1;
-- # a warning for a hint
SELECT /*+ BROADCAST(t) */ * FROM t
-- # places behind characters of several bytes
SELECT 'größe', '€€', `ä` FROMM t WHERE x
