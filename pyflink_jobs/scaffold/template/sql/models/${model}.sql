-- The model's columns: INPUT in the order of training, OUTPUT by name.
CREATE MODEL $model
INPUT (
$inputs
)
OUTPUT ($outputs)
WITH (
  'provider' = 'onnx'$options
);
