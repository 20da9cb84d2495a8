CREATE TABLE points (x INT, y INT) WITH ('connector' = 'blackhole');
CREATE TABLE moves (x INT, y INT) WITH ('connector' = 'datagen');
-- wrong
INSERT INTO points SELECT y, x FROM moves;
-- right
INSERT INTO points SELECT x, y FROM moves;
