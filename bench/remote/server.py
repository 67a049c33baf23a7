"""A model server in the style of TF Serving, TorchServe and Triton: `Predict` gives a matrix's rows their scores.

Both are float32 in row order, as bytes: no server spends less on its messages. It prints its port and serves until it
is killed.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import onnxruntime

if TYPE_CHECKING:
    from numpy.typing import NDArray

SERVICE, METHOD = "bench.Prediction", "Predict"
THREADS = 4  # requests at once; ONNX Runtime scores each on the thread it came on


def main() -> None:
    """Serve the model of a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(parser.parse_args().model, options)
    given = session.get_inputs()[0]

    def predict(request: bytes, _: grpc.ServicerContext) -> bytes:
        x = np.frombuffer(request, np.float32).reshape(-1, given.shape[1])
        scores: NDArray[Any] = session.run(None, {given.name: x})[0]
        return scores.tobytes()

    server = grpc.server(ThreadPoolExecutor(THREADS))
    methods = {METHOD: grpc.unary_unary_rpc_method_handler(predict)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
