-- What every job reads: sixteen features of a made-up event.
CREATE TABLE records (
  id       BIGINT,   -- 0, 1, 2, ...
  sent_us  BIGINT,   -- wall clock when it was sent, epoch microseconds; bench/latency.py reads it back
  x0 FLOAT, x1 FLOAT, x2 FLOAT, x3 FLOAT,
  x4 FLOAT, x5 FLOAT, x6 FLOAT, x7 FLOAT,
  x8 FLOAT, x9 FLOAT, x10 FLOAT, x11 FLOAT,
  x12 FLOAT, x13 FLOAT, x14 FLOAT, x15 FLOAT,
  sent_at AS TO_TIMESTAMP_LTZ(sent_us / 1000, 3),
  WATERMARK FOR sent_at AS sent_at - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = '${BENCH_RECORDS:-records}',
  'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json'
);
