-- What every job reads: sixteen features of a made-up event.
CREATE TABLE records (
  id       BIGINT,   -- 0, 1, 2, ...
  sent_us  BIGINT,   -- wall clock when it was sent, epoch microseconds; bench/latency.py reads it back
  x0 FLOAT COMMENT 'required; range -100..100',   -- rules count where quarantine is on
  x1 FLOAT COMMENT 'required; range -100..100',
  x2 FLOAT COMMENT 'required; range -100..100',
  x3 FLOAT COMMENT 'required; range -100..100',
  x4 FLOAT COMMENT 'range -100..100',
  x5 FLOAT COMMENT 'range -100..100',
  x6 FLOAT COMMENT 'range -100..100',
  x7 FLOAT COMMENT 'range -100..100',
  x8 FLOAT, x9 FLOAT, x10 FLOAT, x11 FLOAT,
  x12 FLOAT, x13 FLOAT, x14 FLOAT, x15 FLOAT,
  sent_at AS TO_TIMESTAMP_LTZ(sent_us / 1000, 3),
  WATERMARK FOR sent_at AS sent_at - INTERVAL '5' SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = '${BENCH_RECORDS:-records}',
  'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS}',
  'scan.startup.mode' = 'earliest-offset',
  'quarantine' = '${BENCH_QUARANTINE:-off}',
  'json.ignore-parse-errors' = '${BENCH_IGNORE_PARSE_ERRORS:-false}',
  'format' = 'json'
);
