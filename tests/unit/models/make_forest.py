"""Make `forest/`: a forest as skl2onnx exports it, and rows with the scores of scikit-learn, some with missing values.

In the environment of make.py:

    .venv-models/bin/python tests/unit/models/make_forest.py

scikit-learn sends a missing value to the side of a split that it learned; the ONNX file does not say which.
"""
# Its packages are not where mypy runs.
# mypy: ignore-errors

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from make import IR, OPSET
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestClassifier

HERE = Path(__file__).parent / "forest"
COLUMNS = ["tenure", "calls", "bill"]

if __name__ == "__main__":
    random = np.random.default_rng(1)
    values = random.normal(size=(400, 3)).astype(np.float32)
    churned = (values @ [1, 0.5, -2] > 0).astype(int)
    values[random.random(values.shape) < 0.15] = np.nan
    forest = RandomForestClassifier(10, max_depth=3, random_state=0).fit(values, churned)
    model = convert_sklearn(
        forest, initial_types=[("X", FloatTensorType([None, 3]))], options={"zipmap": False}, target_opset=OPSET
    )
    model.producer_version, model.ir_version = "", IR
    HERE.mkdir(exist_ok=True)
    (HERE / "forest.onnx").write_bytes(model.SerializeToString(deterministic=True))
    rows = pd.DataFrame(values, columns=COLUMNS).assign(customer=[f"c{i}" for i in range(len(values))])
    rows["probabilities[1]"] = forest.predict_proba(values)[:, 1]
    rows["churned"] = churned
    rows[:150].to_csv(HERE / "rows.csv", index=False)
