-- One record when an alarm opens, and one when it closes.
CREATE TABLE alerts (
  model        STRING,
  version      STRING,            -- the folder under models/<model>/
  job          STRING,            -- the file in sql/jobs/
  slice        STRING,
  feature      STRING,
  event        STRING,            -- 'opens' or 'closes'
  since        TIMESTAMP_LTZ(3),  -- start of the first window that drifted
  window_start TIMESTAMP_LTZ(3),  -- the window that opened or closed it
  window_end   TIMESTAMP_LTZ(3),
  message      STRING,            -- feature, slice, distance, since when
  defined_at   STRING             -- file and line of the feature in SQL
) WITH (
  'connector' = 'kafka',
  'topic' = 'alerts',
  'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}',
  'key.format' = 'json',
  'key.fields' = 'model;slice;feature',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
);
