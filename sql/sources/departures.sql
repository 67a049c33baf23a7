-- Departures from New York's airports. One record per departure, keyed by flight.
-- A record that cannot be decoded, breaks a rule of a COMMENT or is late goes to the topic quarantine, and is not scored.
CREATE TABLE departures (
  flight_id    STRING COMMENT 'local date, carrier and number, origin, scheduled time: 2013-04-01-UA1545-EWR-0515; required',
  carrier      STRING COMMENT 'airline code; required; max length 2',
  flight       INT    COMMENT 'flight number',
  tailnum      STRING COMMENT 'the aircraft',
  origin       STRING COMMENT 'airport; required; one of EWR, JFK, LGA',
  dest         STRING COMMENT 'where it flies to; pattern [A-Z]{3}',
  distance     INT    COMMENT 'miles; required; range 1..10000',
  scheduled_ms BIGINT COMMENT 'scheduled departure, UTC epoch milliseconds; required',
  departed_ms  BIGINT COMMENT 'actual departure, UTC epoch milliseconds; required',
  dep_delay    INT    COMMENT 'actual minus scheduled departure, minutes; negative when early; required; range -1440..2880',
  departure_partition INT    METADATA FROM 'partition' VIRTUAL,   -- the record's position: a sink with both columns
  departure_offset    BIGINT METADATA FROM 'offset' VIRTUAL,      -- can be audited
  departed_at AS TO_TIMESTAMP_LTZ(departed_ms, 3),
  scheduled_local AS CAST(CONVERT_TZ(DATE_FORMAT(TO_TIMESTAMP_LTZ(scheduled_ms, 3), 'yyyy-MM-dd HH:mm:ss'),
                          'UTC', 'America/New_York') AS TIMESTAMP(0)),   -- local time at the airport
  WATERMARK FOR departed_at AS departed_at - INTERVAL '5' MINUTE   -- records come up to 4 minutes out of order
) WITH (
  'connector' = 'kafka',
  'topic' = 'departures',
  'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}',
  'scan.startup.mode' = 'earliest-offset',
  'properties.max.partition.fetch.bytes' = '8192',   -- small fetches keep partitions close in event time
  'format' = 'json'
);
