-- Score each event.
INSERT INTO predictions
SELECT $id, $event_time, $output_names, model_version, $event_partition, $event_offset
FROM ML_PREDICT(
  TABLE ${model}_features,
  MODEL $quoted_model,
  DESCRIPTOR($names));
