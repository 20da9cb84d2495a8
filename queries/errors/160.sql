-- wrong
CREATE TABLE g (a INT, b INT, a STRING) WITH ('connector' = 'datagen');
-- right
CREATE TABLE g (a INT, b INT, c STRING) WITH ('connector' = 'datagen');
