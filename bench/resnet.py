"""ResNet-50's inference on one thread, with and without Winograd, beside onnxruntime and OpenVINO on the same file.

`PYTHONPATH=.:bench python bench/resnet.py [PYTHON]`: PYTHON is one that has them; it is started with the argument
"peer" and the file. CPU time, for the machine may be shared; a row is a size of the batch.
"""
from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_variable] = "1"

BATCHES = (1, 16)
PEERS = ("onnxruntime", "OpenVINO")
STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))      # channels, blocks, stride


def network(gc: Any, x: Any) -> Any:
    """ResNet-50 without its last softmax, channels first, batch norms folded into the filters and biases."""
    import numpy as np
    generator = np.random.default_rng(0)

    def conv(x: Any, size: int, out: int, stride: int = 1) -> Any:
        c = int(x.shape[1])
        w = generator.standard_normal((size, size, c, out)).astype(np.float32) / (size * size * c) ** 0.5
        y = gc.nn.conv2d(x, gc.constant(w.astype(np.float32)), [1, 1, stride, stride], "SAME", data_format="NCHW")
        return gc.nn.bias_add(y, gc.constant(generator.standard_normal(out).astype(np.float32)), data_format="NCHW")

    x = gc.nn.relu(conv(x, 7, 64, 2))
    x = gc.nn.max_pool(x, [1, 1, 3, 3], [1, 1, 2, 2], "SAME", data_format="NCHW")
    for channels, blocks, first_stride in STAGES:
        for block in range(blocks):
            stride = first_stride if block == 0 else 1
            shortcut = conv(x, 1, 4 * channels, stride) if block == 0 else x
            y = gc.nn.relu(conv(x, 1, channels))
            y = gc.nn.relu(conv(y, 3, channels, stride))
            x = gc.nn.relu(conv(y, 1, 4 * channels) + shortcut)
    x = gc.reduce_mean(x, [2, 3])
    return gc.matmul(x, gc.constant(generator.standard_normal((2048, 1000)).astype(np.float32) / 45))


def pictures(batch: int) -> Any:
    import numpy as np
    return np.random.default_rng(1).standard_normal((batch, 3, 224, 224)).astype(np.float32)


def peer(path: str) -> None:
    """Milliseconds of each batch by onnxruntime and OpenVINO, and the first numbers of their results."""
    import onnxruntime
    import openvino

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    functions: dict[str, Callable[[], Any]] = {}
    for batch in BATCHES:
        fed = pictures(batch)
        functions[f"onnxruntime {batch}"] = lambda fed=fed: session.run(None, {name: fed})[0]
        model = openvino.Core().read_model(path)
        model.reshape(list(fed.shape))
        settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
        functions[f"OpenVINO {batch}"] = lambda fed=fed, request=request: next(iter(request.infer([fed]).values()))
    first = [functions[f"{program} {BATCHES[0]}"]()[0, :5].tolist() for program in PEERS]
    print(json.dumps([process_medians(functions), first]))


def process_medians(functions: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Median seconds of each function in turn, in CPU time of all threads: OpenVINO computes in one of its own."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(9):
        for name, function in functions.items():
            start = time.process_time()
            function()
            times[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def ours() -> tuple[dict[str, float], list[float], str]:
    """The same by Sessions, for each setting of the switch, and the file."""
    import graphc as gc

    from peer_timing import medians
    x = gc.placeholder(gc.float32, [None, 3, 224, 224], name="x")
    y = gc.identity(network(gc, x), name="y")
    functions: dict[str, Callable[[], Any]] = {}
    for switch, label in (("1", ""), ("0", " direct")):
        os.environ["GRAPHC_WINOGRAD"] = switch
        session = gc.Session(config=gc.ConfigProto(intra_op_parallelism_threads=1))
        for batch in BATCHES:
            fed = {x: pictures(batch)}
            session.run(y, fed)
            functions[f"{batch}{label}"] = lambda session=session, fed=fed: session.run(y, fed)
    first = functions["1"]()[0, :5].tolist()
    path = Path(tempfile.mkdtemp()) / "resnet.onnx"
    gc.onnx.export(session, {"y": y}, path)
    return medians(functions, 12), first, str(path)


def main() -> None:
    if sys.argv[1:2] == ["peer"]:
        peer(sys.argv[2])
        return
    mine, first, path = ours()
    theirs: dict[str, float] = {}
    if len(sys.argv) > 1:
        theirs, others = json.loads(subprocess.run([sys.argv[1], __file__, "peer", path], check=True,
                                                   capture_output=True, text=True).stdout.splitlines()[-1])
        for other in others:
            assert all(abs(a - b) <= 1e-3 * max(abs(b), 1) for a, b in zip(first, other, strict=True)), (first, other)
    for batch in BATCHES:
        time_here = mine[str(batch)]
        row = f"b{batch:<3} {1e3 * time_here:8.1f} ms, without Winograd {1e3 * mine[f'{batch} direct']:8.1f}"
        for program in PEERS if theirs else ():
            there = theirs[f"{program} {batch}"]
            row += f", {program} {1e3 * there:8.1f} ({there / time_here:.2f})"
        print(row, flush=True)


if __name__ == "__main__":
    main()
