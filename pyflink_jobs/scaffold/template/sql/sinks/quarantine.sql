-- Records that cannot be scored, with the reason. The table may have any of these columns.
CREATE TABLE quarantine (
  source        STRING,             -- the table in sql/sources/; for a refused row, the table or view that the model reads
  reason        STRING,             -- 'undecodable', 'contract', 'invalid event time', 'late' or 'refused by model'
  detail        STRING,             -- what was found, what was expected
  topic         STRING,             -- the record's position in Kafka
  `partition`   INT,
  `offset`      BIGINT,
  event_time    TIMESTAMP_LTZ(3),
  ingested_at   TIMESTAMP_LTZ(3),   -- the record's timestamp in Kafka
  record        BYTES,              -- its original bytes, up to 500,000; NULL with 'quarantine' = 'pointer'
  `columns`     STRING,             -- without the bytes: the columns, as JSON; for a refused row, those that statements read
  job           STRING,             -- the file in sql/jobs/
  model         STRING,             -- that refused the row
  model_version STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'quarantine',
  'properties.bootstrap.servers' = '$${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
);
