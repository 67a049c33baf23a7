-- Score each event.
INSERT INTO predictions
SELECT id, event_time, $output_names, model_version
FROM ML_PREDICT(
  TABLE ${model}_features,
  MODEL $model,
  DESCRIPTOR($names));
