-- wrong
CREATE TABLE g (a DECIMAL(40, 2)) WITH ('connector' = 'datagen');
-- right
CREATE TABLE g (a DECIMAL(38, 2)) WITH ('connector' = 'datagen');
