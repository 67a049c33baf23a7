-- The input: one JSON record per event. Records that cannot be scored go to the topic quarantine; a column's COMMENT may
-- have rules: COMMENT 'degrees; required; range -40..60'.
CREATE TABLE events (
  $id       STRING,   -- identifies the event
  $event_ms BIGINT,   -- when it happened, UTC epoch milliseconds
$source_columns  $event_partition INT METADATA FROM 'partition' VIRTUAL,   -- the record's position, for millstream audit
  $event_offset BIGINT METADATA FROM 'offset' VIRTUAL,
  $event_time AS TO_TIMESTAMP_LTZ($event_ms, 3),
  WATERMARK FOR $event_time AS $event_time - INTERVAL '10' SECOND   -- records may be this late
) WITH (
  'connector' = 'kafka',
  'topic' = 'events',
  'properties.bootstrap.servers' = '$${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);
