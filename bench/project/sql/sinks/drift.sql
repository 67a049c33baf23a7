-- Results of the monitored model; not read here.
CREATE TABLE drift (
  window_start TIMESTAMP_LTZ(3),
  feature      STRING,
  n            BIGINT,
  d_lo         DOUBLE,
  d_hi         DOUBLE,
  verdict      STRING
) WITH (
  'connector' = 'blackhole'
);
