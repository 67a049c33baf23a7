"""Make the benches' models: a small neural network and 100 boosted trees, both on 16 floats; the network wider, too.

    python bench_models.py --out bench/models

- `mlp.onnx`: input `x` float32 [batch, 16], layers of 64 and 32 with ReLU, output `y` float32 [batch, 1]; its weights
  are random: only the amount of computation matters.
- `mlp_64.onnx`, `mlp_256.onnx`: the same network, but its input is [batch, 64] or [batch, 256].
- `gbm.onnx`: input `x` float32 [batch, 16], 100 LightGBM trees of 31 leaves, output `variable` float32 [batch, 1],
  trained on generated data, so that its trees are as uneven as real ones.

The files are the same each time.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import lightgbm
import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

from onnx_bytes import onnx_bytes

FLOATS = 16
WIDER = (64, 256)
LAYERS = (64, 32, 1)
TREES, LEAVES, ROWS = 100, 31, 20_000
SEED = 16


def main() -> None:
    """Write all files."""
    parser = argparse.ArgumentParser(description="Make the benches' models.")
    parser.add_argument("--out", required=True, type=Path, help="folder for the files")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    wider = {f"mlp_{floats}": mlp(floats) for floats in WIDER}
    for name, model in {"mlp": mlp(FLOATS), **wider, "gbm": gbm()}.items():
        data = onnx_bytes(model)
        (out / f"{name}.onnx").write_bytes(data)
        print(f"{out / name}.onnx: {len(data):,} bytes")


def mlp(floats: int) -> ModelProto:
    """Return the network on so many floats: one Gemm a layer, ReLU between them."""
    rng = np.random.default_rng(SEED)
    nodes, weights = [], []
    last = len(LAYERS) - 1
    tensor = "x"
    for layer, (before, after) in enumerate(pairwise((floats, *LAYERS))):
        scaled = rng.normal(0, np.sqrt(2 / before), (before, after)).astype(np.float32)  # keeps activations near 1
        weights += [
            numpy_helper.from_array(scaled, f"w{layer}"),
            numpy_helper.from_array(rng.normal(0, 0.1, after).astype(np.float32), f"b{layer}"),
        ]
        result = "y" if layer == last else f"sum{layer}"
        nodes.append(helper.make_node("Gemm", [tensor, f"w{layer}", f"b{layer}"], [result]))
        tensor = result
        if layer < last:
            tensor = f"relu{layer}"
            nodes.append(helper.make_node("Relu", [result], [tensor]))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", floats])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", LAYERS[-1]])
    graph = helper.make_graph(nodes, "mlp", [x], [y], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)])


def gbm() -> ModelProto:
    """Return the trees, trained on a sum of products and steps."""
    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(ROWS, FLOATS)).astype(np.float32)
    target = x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2]) + (x[:, 3:8] > 0).sum(axis=1) + rng.normal(0, 0.5, ROWS)
    parameters = {
        "objective": "regression",
        "num_leaves": LEAVES,
        "verbosity": -1,
        "seed": SEED,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 2,
    }
    booster = lightgbm.train(parameters, lightgbm.Dataset(x, target), TREES)
    inputs = [("x", FloatTensorType([None, FLOATS]))]
    return convert_lightgbm(booster, name="gbm", initial_types=inputs, zipmap=False, target_opset=15)


if __name__ == "__main__":
    main()
