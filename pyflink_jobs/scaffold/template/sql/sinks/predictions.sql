-- The output: one JSON record per event, keyed by its id.
CREATE TABLE predictions (
  $id STRING,
  $event_time TIMESTAMP_LTZ(3),
$sink_columns  model_version STRING,
  $event_partition INT,   -- the record of events that was scored
  $event_offset BIGINT
) WITH (
  'connector' = 'kafka',
  'topic' = 'predictions',
  'properties.bootstrap.servers' = '$${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}',
  'key.format' = 'raw',
  'key.fields' = '$id',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
);
