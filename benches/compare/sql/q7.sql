SELECT MAX(price) AS maxprice, window_end
FROM TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND)
GROUP BY window_start, window_end
