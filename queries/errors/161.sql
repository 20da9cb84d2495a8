-- wrong
CREATE TABLE g (user_id INT, PRIMARY KEY (userid) NOT ENFORCED) WITH ('connector' = 'datagen');
-- right
CREATE TABLE g (user_id INT, PRIMARY KEY (user_id) NOT ENFORCED) WITH ('connector' = 'datagen');
