-- Bids with their auctions.
SELECT b.auction, b.bidder, b.price, a.itemName, a.initialBid, a.seller
FROM bid AS b INNER JOIN auction AS a ON b.auction = a.id WHERE a.category = 10;
