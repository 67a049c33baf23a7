-- What bench/quarantine.py makes the job keep of bad records.
CREATE TABLE quarantine (
  source        STRING,
  reason        STRING,
  detail        STRING,
  topic         STRING,
  `partition`   INT,
  `offset`      BIGINT,
  event_time    TIMESTAMP_LTZ(3),
  ingested_at   TIMESTAMP_LTZ(3),
  record        BYTES,
  `columns`     STRING,
  job           STRING,
  model         STRING,
  model_version STRING
) WITH (
  'connector' = 'kafka',
  'topic' = 'quarantine',
  'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}',
  'format' = 'json'
);
