-- One record for each window, slice and feature of a monitored model. docs/drift.md explains the numbers.
CREATE TABLE drift (
  model               STRING,
  version             STRING,            -- the folder under models/<model>/
  job                 STRING,            -- the file in sql/jobs/
  window_start        TIMESTAMP_LTZ(3),
  window_end          TIMESTAMP_LTZ(3),  -- the last window's end for a sum of windows
  slice               STRING,            -- '(all)' without slices; '(rest)' and '(null)' of them
  feature             STRING,            -- '(late)': n rows were too late for the window; '(rows)': the slice has none
  n                   BIGINT,            -- values, without NULL
  nulls               BIGINT,
  late                BIGINT,            -- rows that arrived after the window's end and were added
  d_lo                DOUBLE,            -- the largest difference of distribution functions is at least this,
  d_hi                DOUBLE,            -- and at most this
  margin              DOUBLE,            -- what d_lo must exceed
  p                   DOUBLE,            -- Kolmogorov-Smirnov; chi-square for text
  q                   DOUBLE,            -- p after Benjamini and Hochberg, over all features and slices of the window
  `rank`              DOUBLE,            -- share of earlier windows with at least this distance
  psi                 DOUBLE,            -- population stability index
  wasserstein         DOUBLE,            -- in the feature's own unit
  verdict             STRING,            -- 'stable', 'drift', 'too few', 'no reference' or 'late'
  quantiles           ARRAY<DOUBLE>,     -- now: 1, 5, 10, 25, 40, 50, 75, 90, 95, 99 %
  reference_n         BIGINT,
  reference_nulls     BIGINT,
  reference_quantiles ARRAY<DOUBLE>,     -- then
  categories          ARRAY<STRING>,     -- of text: those whose shares changed most
  shares              ARRAY<DOUBLE>,     -- now
  reference_shares    ARRAY<DOUBLE>,     -- then
  reference           STRING             -- first digits of the profile's sha256
) WITH (
  'connector' = 'kafka',
  'topic' = 'drift',
  'properties.bootstrap.servers' = '${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}',
  'key.format' = 'json',
  'key.fields' = 'model;slice;feature',
  'format' = 'json',
  'json.timestamp-format.standard' = 'ISO-8601'
);
