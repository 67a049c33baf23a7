"""The stage of a stack of calls: the innermost call that matches a rule decides."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["OTHER", "STAGES", "stage_of_java", "stage_of_python", "stage_of_thread"]

OTHER = "the rest"
STAGES = (
    "Kafka fetch",
    "decode",
    "event time and watermark",
    "columns (generated code)",
    "between operators",
    "rows to Arrow",
    "gRPC and Beam",
    "Arrow to numpy",
    "ONNX Runtime",
    "scores to Arrow",
    "results back to rows",
    "encode",
    "Kafka produce",
    "Java's compiler",
    "Java's garbage collector",
    OTHER,
)

_JAVA = (
    (r"RowDataSerializationSchema|RowDataToJson|RowDataToAvro", "encode"),
    (r"fasterxml.*(Generator|Serializ|ObjectWriter|NumberOutput|schubfach|databind\.node|ByteArrayBuilder)", "encode"),
    (r"^millstream\..*(Json|Avro|Plain|CheckedDecoder)|RowDataDeserial|(Json|Avro)ToRow|fasterxml", "decode"),
    (r"kafka\.clients\.consumer|connector\.kafka\.source", "Kafka fetch"),
    (r"kafka\.clients\.producer|connector\.kafka\.sink", "Kafka produce"),
    (r"[Ww]atermark", "event time and watermark"),
    (r"runtime\.arrow\.(writers|ArrowWriter)|ArrowSerializer\.(write|finish)|vector\.ipc\.\w*Writer", "rows to Arrow"),
    (r"runtime\.arrow|arrow\.vector", "results back to rows"),
    (r"PythonScalarFunctionOperator\.(processElement|bufferInput|getFunctionInput)", "rows to Arrow"),
    (r"emitResult", "results back to rows"),
    (r"io\.grpc|apache\.beam|netty|PythonFunctionRunner", "gRPC and Beam"),
    (r"StreamExecCalc|Projection\$", "columns (generated code)"),
    (r"ChainingOutput|RowDataSerializer", "between operators"),
)
_PYTHON = (
    (r"onnxruntime", "ONNX Runtime"),
    (r"to_arrow|^_struct|create_array|from_pandas|RecordBatch\.from_arrays", "scores to Arrow"),
    (r"arrow_to|to_pandas|pyarrow|arrow|udfs[/.]", "Arrow to numpy"),
    (r"grpc|beam", "gRPC and Beam"),
)
_THREADS = (
    (r"^C[12] Compiler", "Java's compiler"),
    (r"^(G1|GC|VM) ", "Java's garbage collector"),
    (r"^Source Data Fet", "Kafka fetch"),
    (r"^kafka-producer", "Kafka produce"),
    (r"^grpc|^GRPC|^beam", "gRPC and Beam"),
)


def stage_of_java(frames: Iterable[str]) -> str:
    """Return the stage of a Java stack, `package.Class.method` of each call, the innermost first."""
    return _stage(frames, _JAVA)


def stage_of_python(frames: Iterable[str]) -> str:
    """Return the stage of a Python stack, `function (file:line)` of each call, the innermost first."""
    return _stage(frames, _PYTHON)


def stage_of_thread(name: str) -> str | None:
    """Return the stage of a thread with one purpose; None for a thread whose stacks decide."""
    return next((stage for pattern, stage in _THREADS if re.search(pattern, name)), None)


def _stage(frames: Iterable[str], rules: tuple[tuple[str, str], ...]) -> str:
    for frame in frames:
        for pattern, stage in rules:
            if re.search(pattern, frame):
                return stage
    return OTHER
