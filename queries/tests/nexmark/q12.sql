-- Bids of a user by processing time.
SELECT bidder, COUNT(*) AS bids, window_start, window_end
FROM TUMBLE(TABLE (SELECT *, PROCTIME() AS at_ FROM bid), DESCRIPTOR(at_), INTERVAL '10' SECOND)
GROUP BY bidder, window_start, window_end;
