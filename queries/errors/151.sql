-- wrong
CREATE TABLE g (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '10', 'rows-per-second' = '20');
-- right
CREATE TABLE g (a INT) WITH ('connector' = 'datagen', 'rows-per-second' = '20');
