-- The model's columns: INPUT in the order of training, OUTPUT by name.
${notes}CREATE MODEL $quoted_model
INPUT (
$inputs
)
OUTPUT ($outputs)
WITH (
  'provider' = 'onnx'$options
);
