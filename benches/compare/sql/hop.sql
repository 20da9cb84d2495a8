SELECT auction, window_end, COUNT(*) AS bids, MAX(price) AS highest
FROM HOP(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '2' SECOND, INTERVAL '10' SECOND)
GROUP BY auction, window_start, window_end
