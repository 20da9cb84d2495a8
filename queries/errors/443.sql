-- wrong
CREATE TABLE bid (auction BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (
  'connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json', 'scan.watermark.alignment.group' = 'all');
SELECT auction FROM bid;
-- right
CREATE TABLE bid (auction BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (
  'connector' = 'filesystem', 'path' = 'bids.json', 'format' = 'json',
  'scan.watermark.alignment.group' = 'all', 'scan.watermark.alignment.max-drift' = '1 min');
SELECT auction FROM bid;
