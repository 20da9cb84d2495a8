CREATE TABLE names (id INT, name STRING) WITH ('connector' = 'print');
-- wrong
INSERT INTO names VALUES (1, 'Ann'), (2);
-- right
INSERT INTO names VALUES (1, 'Ann'), (2, NULL);
