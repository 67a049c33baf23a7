-- Records that cannot be scored, with the reason.
CREATE TABLE quarantine (
  source STRING,   -- the table in sql/sources/ that it came from
  reason STRING,   -- what is wrong with it
  record STRING    -- its columns, as JSON
) WITH (
  'connector' = 'kafka',
  'topic' = 'quarantine',
  'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}',
  'format' = 'json'
);
