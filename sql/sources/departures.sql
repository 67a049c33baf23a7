-- Flights as they leave one of New York's airports. One record a departure, keyed by flight.
CREATE TABLE departures (
  flight_id    STRING,   -- local date, carrier and number, origin, scheduled time: '2013-04-01-UA1545-EWR-0515'
  carrier      STRING,   -- two-letter airline code
  flight       INT,      -- flight number
  tailnum      STRING,   -- the aircraft
  origin       STRING,   -- EWR, JFK or LGA
  dest         STRING,   -- where it flies to
  distance     INT,      -- miles
  scheduled_ms BIGINT,   -- scheduled departure, UTC epoch milliseconds
  departed_ms  BIGINT,   -- actual departure, UTC epoch milliseconds
  dep_delay    INT,      -- actual minus scheduled departure, minutes; negative when early
  departed_at AS CASE WHEN departed_ms BETWEEN 631152000000 AND 4102444799999   -- 1990 to 2099; NULL otherwise, which
                      THEN TO_TIMESTAMP_LTZ(departed_ms, 3) END,                -- leaves the watermark where it is
  scheduled_local AS CAST(CONVERT_TZ(DATE_FORMAT(TO_TIMESTAMP_LTZ(scheduled_ms, 3), 'yyyy-MM-dd HH:mm:ss'),
                          'UTC', 'America/New_York') AS TIMESTAMP(0)),   -- the clock on the airport's wall
  WATERMARK FOR departed_at AS departed_at - INTERVAL '5' MINUTE   -- records come up to 4 minutes out of order
) WITH (
  'connector' = 'kafka',
  'topic' = 'departures',
  'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);
