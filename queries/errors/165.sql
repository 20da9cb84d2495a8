-- wrong
CREATE TABLE g (a INT DEFAULT 5) WITH ('connector' = 'datagen');
-- right
CREATE TABLE g (a INT, five AS 5) WITH ('connector' = 'datagen');
