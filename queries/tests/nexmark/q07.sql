-- Highest bids of a tumbling window.
SELECT b.auction, b.price, b.bidder, b.`dateTime`, b.extra
FROM bid AS b
JOIN (
  SELECT MAX(price) AS most, window_end AS at_
  FROM TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND)
  GROUP BY window_start, window_end
) AS tops
ON b.price = tops.most
WHERE b.`dateTime` BETWEEN tops.at_ - INTERVAL '10' SECOND AND tops.at_;
