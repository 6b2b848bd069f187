"""Runs a file in the program it is for, TensorFlow or onnxruntime: peer.py FOLDER THREADS.

Writes what it computes to expected.npz, says how long it took to load and to run first, as JSON in a line, and then
runs the first case once more for each line on standard input and answers with the seconds of the clock and of the CPU.
"""
from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
sys.path.append(os.environ["FILES_MODULES"])      # onnxruntime
import numpy as np
from kinds import Description, read_arrays, write_arrays

Run = Callable[[Sequence[np.ndarray]], list[np.ndarray]]


def in_tensorflow(path: Path, of: Description, threads: int) -> Run:
    import tensorflow.compat.v1 as tf

    graph = tf.Graph()
    with graph.as_default():
        graph_def = tf.GraphDef.FromString(path.read_bytes())
        tf.import_graph_def(graph_def, name="")
    session = tf.Session(graph=graph, config=tf.ConfigProto(intra_op_parallelism_threads=threads,
                                                            inter_op_parallelism_threads=threads))
    call = session.make_callable(list(of.outputs), feed_list=list(of.inputs))
    return lambda arrays: list(call(*arrays))


def in_onnxruntime(path: Path, of: Description, threads: int) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda arrays: list(session.run(of.outputs, dict(zip(of.inputs, arrays, strict=True))))


def main(name: str, threads: str) -> None:
    folder = Path(name)
    of, cases = Description.read(folder), read_arrays(folder / "feeds.npz")
    load: Any = in_onnxruntime if of.file.endswith(".onnx") else in_tensorflow
    __import__("onnxruntime" if load is in_onnxruntime else "tensorflow")
    start = time.perf_counter()
    run = load(folder / of.file, of, int(threads))
    loaded = time.perf_counter()
    run(cases[0])
    first = time.perf_counter()
    write_arrays(folder / "expected.npz", [run(case) for case in cases])
    print(json.dumps({"load": loaded - start, "first": first - loaded}), flush=True)
    for _ in sys.stdin:
        start, used = time.perf_counter(), time.process_time()
        run(cases[0])
        print(time.perf_counter() - start, time.process_time() - used, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
