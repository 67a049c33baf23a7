-- Records that cannot be scored, with the reason. The table may have any of these columns.
CREATE TABLE quarantine (
  source        STRING,             -- the table in sql/sources/; where a model refuses a row, the table or view it reads
  reason        STRING,             -- 'contract': it breaks a rule of its source; 'refused by model'
  detail        STRING,             -- in words: what was found, what was expected
  topic         STRING,             -- where the record stands in Kafka; NULL for a row that a model refuses
  `partition`   INT,
  `offset`      BIGINT,
  ingested_at   TIMESTAMP_LTZ(3),   -- the record's timestamp in Kafka
  record        STRING,             -- its columns, as JSON; of a refused row those that the job's statements read
  job           STRING,             -- the file in sql/jobs/
  model         STRING,             -- that refuses it
  model_version STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'quarantine',
  'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
);
