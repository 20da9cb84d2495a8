-- wrong
CREATE TABLE g (a INT PRIMARY KEY) WITH ('connector' = 'datagen');
-- right
CREATE TABLE g (a INT PRIMARY KEY NOT ENFORCED) WITH ('connector' = 'datagen');
