"""Train P(a flight arrives more than 15 minutes late) on January to March 2013, and write it as ONNX with its card.

    python late_arrival.py out/training_data --columns dep_delay,distance,... --out models/late_arrival/1 --scores s.jsonl

The training data are JSON lines, in one file or all files of a folder: `departed_ms` (UTC epoch milliseconds), the
model's input columns (numbers or null) and `late`. Flights that departed in April are for evaluation alone: `--scores`
is for their inputs with LightGBM's own scores, of which `millstream card --samples` keeps some. The same data give the
same bytes, in any order of the rows.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from importlib.metadata import version
from pathlib import Path

import lightgbm
import numpy as np
import onnxruntime
import pandas as pd
from numpy.typing import NDArray
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.metrics import log_loss, roc_auc_score

from onnx_bytes import onnx_bytes

Floats = NDArray[np.float32]

START, SPLIT, END = "2013-01-01", "2013-04-01", "2013-05-01"  # departures, UTC
TREES = 120
TOLERANCE = 1e-5
LIBRARIES = ["lightgbm", "numpy", "onnx", "onnxmltools", "scikit-learn"]
PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.06,
    "num_leaves": 24,
    "min_data_in_leaf": 200,
    "verbosity": -1,
    # The same data give the same trees.
    "seed": 2013,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 2,
}


def main() -> None:
    """Train, convert, compare with LightGBM itself, and write `model.onnx` and `model.json`."""
    parser = argparse.ArgumentParser(description="Train the late_arrival model.")
    parser.add_argument("training_data", type=Path, help="JSON lines: a file, or a folder of files")
    parser.add_argument("--columns", required=True, type=lambda text: text.split(","), help="input columns, in order")
    parser.add_argument("--out", required=True, type=Path, help="folder for model.onnx and model.json")
    parser.add_argument("--scores", required=True, type=Path, help="file for April's flights with LightGBM's scores")
    arguments = parser.parse_args()
    columns: list[str] = arguments.columns

    rows = read(arguments.training_data, columns)
    training, april = between(rows, START, SPLIT), between(rows, SPLIT, END)
    booster = train(features(training, columns), training["late"])
    model = to_onnx(booster, len(columns))
    compare(model, booster, features(rows, columns))

    late = april["late"].to_numpy()
    probability = probabilities(model, features(april, columns))[:, 1].astype(np.float64)
    metrics = {
        "evaluated_on": {"from": SPLIT, "to": END, "rows": len(april)},
        "auc": round(float(roc_auc_score(late, probability)), 4),
        "log_loss": round(float(log_loss(late, probability)), 4),
    }
    card = {
        "name": arguments.out.parent.name,
        "version": arguments.out.name,
        "sha256": hashlib.sha256(model).hexdigest(),
        "inputs": [{"tensor": "features", "dtype": "float32", "columns": columns}],
        "outputs": [
            {"tensor": "label", "dtype": "int64"},
            {"tensor": "probabilities", "dtype": "float32", "columns": ["on_time", "late"]},
        ],
        "trained_on": {"from": START, "to": SPLIT, "rows": len(training)},
        "metrics": metrics,
        "made_by": "make model",
        "libraries": {name: version(name) for name in LIBRARIES},
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "model.onnx").write_bytes(model)
    (arguments.out / "model.json").write_text(json.dumps(card, indent=2) + "\n")
    write_scores(arguments.scores, booster, april, columns)
    print(f"{arguments.out}: {len(training):,} flights, {len(model):,} bytes, April AUC {metrics['auc']}")


def read(path: Path, columns: list[str]) -> pd.DataFrame:
    """Return the training data in an order that does not depend on the files'."""
    files = sorted(path.glob("[!._]*")) if path.is_dir() else [path]
    rows = pd.concat([pd.read_json(file, lines=True, convert_dates=False) for file in files if file.stat().st_size])
    missing = {"flight_id", "departed_ms", "late", *columns} - set(rows.columns)
    if missing:
        raise SystemExit(f"{path}: no column {', '.join(sorted(missing))}; found {', '.join(rows.columns)}")
    return rows.sort_values(["departed_ms", "flight_id"], ignore_index=True)


def between(rows: pd.DataFrame, start: str, end: str) -> pd.DataFrame:
    """Return the flights with `start` <= departure < `end`, and insist that there are some."""
    first, last = (int(pd.Timestamp(date, tz="UTC").timestamp() * 1000) for date in (start, end))
    found = rows[(rows["departed_ms"] >= first) & (rows["departed_ms"] < last)]
    if not {True, False} <= set(found["late"]):
        raise SystemExit(f"the training data have no flights of both kinds that departed from {start} until {end}")
    return found


def features(rows: pd.DataFrame, columns: list[str]) -> Floats:
    """Return float32 [rows, columns], NaN for null: the model's input when it scores."""
    values: Floats = rows[columns].to_numpy(np.float32)
    return values


def train(inputs: Floats, late: pd.Series) -> lightgbm.Booster:
    """Return the trained trees."""
    return lightgbm.train(PARAMETERS, lightgbm.Dataset(inputs, late.astype(int)), TREES)


def to_onnx(booster: lightgbm.Booster, width: int) -> bytes:
    """Return the trees as an ONNX model: input `features`, outputs `label` and `probabilities`."""
    model = convert_lightgbm(
        booster,
        name="late_arrival",
        initial_types=[("features", FloatTensorType([None, width]))],
        zipmap=False,
        target_opset=15,
    )
    return onnx_bytes(model)


def probabilities(model: bytes, inputs: Floats) -> Floats:
    """Return float32 [rows, 2]: on time, late."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    found: Floats = session.run(["probabilities"], {"features": inputs})[0]
    return found


def write_scores(file: Path, booster: lightgbm.Booster, rows: pd.DataFrame, columns: list[str]) -> None:
    """Write inputs with the scores of LightGBM, not of ONNX Runtime, as JSON lines: rows without one value, then all."""
    values = features(rows, columns)
    sparse = values[: len(columns)].copy()
    np.fill_diagonal(sparse, np.nan)
    inputs = np.concatenate([sparse, np.full((1, len(columns)), np.nan, np.float32), values])
    scored = pd.DataFrame(inputs, columns=columns)
    scored["probabilities[1]"] = booster.predict(inputs, num_threads=2)
    scored.to_json(file, orient="records", lines=True, double_precision=15)


def compare(model: bytes, booster: lightgbm.Booster, inputs: Floats) -> None:
    """Check that ONNX Runtime and LightGBM agree: on all rows, on rows with any one value missing, on empty rows."""
    sample = inputs[:: max(1, len(inputs) // 5_000)]
    cases = [inputs, np.full((1, inputs.shape[1]), np.nan, np.float32)]
    for column in range(inputs.shape[1]):
        case = sample.copy()
        case[:, column] = np.nan
        cases.append(case)
    rows = np.concatenate(cases)
    difference = np.abs(probabilities(model, rows)[:, 1] - booster.predict(rows, num_threads=2))
    if difference.max() > TOLERANCE:
        worst = rows[difference.argmax()]
        raise SystemExit(f"ONNX Runtime and LightGBM differ by {difference.max():.2g} on {worst.tolist()}")


if __name__ == "__main__":
    main()
