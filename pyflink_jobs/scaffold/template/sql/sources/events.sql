-- What comes in: one JSON record an event. What cannot be scored goes to the topic quarantine; a column's COMMENT may
-- hold rules: COMMENT 'degrees; required; range -40..60'.
CREATE TABLE events (
  id       STRING,   -- names the event
  event_ms BIGINT,   -- when it happened, UTC epoch milliseconds
$source_columns  event_partition INT METADATA FROM 'partition' VIRTUAL,   -- which record it is: for millstream audit
  event_offset BIGINT METADATA FROM 'offset' VIRTUAL,
  event_time AS TO_TIMESTAMP_LTZ(event_ms, 3),
  WATERMARK FOR event_time AS event_time - INTERVAL '10' SECOND   -- records may come this much out of order
) WITH (
  'connector' = 'kafka',
  'topic' = 'events',
  'properties.bootstrap.servers' = '$${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);
