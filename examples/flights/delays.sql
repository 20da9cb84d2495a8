-- Departure delays by hour and airport, over all 336,776 flights that left New York in 2013.
-- Fetch the data with ./x data, then: millstream run examples/flights/delays.sql

CREATE TABLE flights (
  `year` INT, `month` INT, `day` INT,
  dep_time INT, sched_dep_time INT, dep_delay INT,
  arr_time INT, sched_arr_time INT, arr_delay INT,
  carrier STRING, flight INT, tailnum STRING, origin STRING, dest STRING,
  air_time INT, distance INT, `hour` INT, `minute` INT,
  time_hour STRING,
  -- the hour in which a flight was scheduled to leave, in UTC
  ts AS TO_TIMESTAMP(time_hour, 'yyyy-MM-dd''T''HH:mm:ss''Z'''),
  WATERMARK FOR ts AS ts - INTERVAL '1' HOUR
) WITH (
  'connector' = 'filesystem',
  'path' = 'examples/flights/data/flights.csv',
  'format' = 'csv',
  'csv.header' = 'true',
  'csv.null-literal' = 'NA'
);

SELECT
  window_start,
  origin,
  COUNT(*) AS flights,
  COUNT(*) FILTER (WHERE dep_time IS NULL) AS cancelled,
  AVG(CAST(dep_delay AS DOUBLE)) AS mean_delay_min,
  MAX(dep_delay) AS max_delay_min
FROM TUMBLE(TABLE flights, DESCRIPTOR(ts), INTERVAL '1' HOUR)
GROUP BY window_start, window_end, origin;
