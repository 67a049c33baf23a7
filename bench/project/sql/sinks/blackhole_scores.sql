-- Scores that go to nowhere.
CREATE TABLE blackhole_scores (
  id      BIGINT,   -- as in records
  sent_us BIGINT,   -- as in records
  y       FLOAT     -- the score
) WITH (
  'connector' = 'blackhole'
);
