-- Scores that go to Kafka, at least once.
CREATE TABLE kafka_scores (
  id      BIGINT,   -- as in records
  sent_us BIGINT,   -- as in records
  y       FLOAT     -- the score
) WITH (
  'connector' = 'kafka',
  'topic' = '${BENCH_SCORES:-scores}',
  'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}',
  'properties.linger.ms' = '${BENCH_LINGER_MS:-5}',   -- how long Kafka's producer waits for more records; 5 is its default
  'format' = 'json'
);
