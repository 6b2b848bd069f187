"""Compares one file, run here in a Session and in C++, with its peer: measure.py FOLDER PEERS_PYTHON RUNNER.

Writes result.json: differences, relative to the largest output, and seconds; the two programs take turns.
"""
from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from kinds import Description, read_arrays

import graphc as gc

THREADS = 2
SECONDS = 1.5


class Peer:
    """The process that runs the file where it comes from."""

    def __init__(self, python: str, folder: Path) -> None:
        self.process = subprocess.Popen([python, Path(__file__).with_name("peer.py"), folder, str(THREADS)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.times = json.loads(self._line())

    def run(self) -> tuple[float, ...]:
        assert self.process.stdin
        print(file=self.process.stdin, flush=True)
        return tuple(map(float, self._line().split()))

    def _line(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the peer ended with {self.process.wait()}")
        return line

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def difference(found: list[Any], expected: list[np.ndarray]) -> float:
    """The largest one, over the largest output; infinite where shapes, dtypes or what is finite differ."""
    worst = 0.0
    for a, b in zip(map(np.asarray, found), expected, strict=True):
        if b.dtype == object:
            if a.shape != b.shape or (a.astype("S") != b.astype("S")).any():
                return float("inf")
            continue
        if not np.isfinite(b).all():
            raise RuntimeError("the peer's own results are not finite: such a model compares nothing")
        if a.shape != b.shape or a.dtype != b.dtype or not np.isfinite(a).all():
            return float("inf")
        largest = float(np.abs(b).max(initial=0.0))
        worst = max(worst, float(np.abs(a.astype(np.float64) - b).max(initial=0.0)) / (largest or 1.0))
    return worst


def loaded(folder: Path, of: Description) -> tuple[gc.Graph, list[Any], list[Any]]:
    """graph, inputs, outputs."""
    if of.file.endswith(".onnx"):
        model = gc.onnx.load(str(folder / of.file))
        return model.graph, [model.inputs[n] for n in of.inputs], [model.outputs[n] for n in of.outputs]
    graph = gc.Graph()
    with graph.as_default():
        gc.import_graph_def(gc.load_graph_def(str(folder / of.file)), name="")
    return graph, [graph.get_tensor_by_name(n) for n in of.inputs], [graph.get_tensor_by_name(n) for n in of.outputs]


def nodes(path: Path) -> int:
    """In the file; those of functions, too."""
    if path.suffix == ".onnx":
        import onnx

        return len(onnx.load(str(path)).graph.node)
    graph_def = gc.load_graph_def(str(path))
    return len(graph_def.node) + sum(len(function.node_def) for function in graph_def.library.function)


def here(folder: Path, of: Description, cases: Any, expected: Any, peer: Peer) -> dict[str, Any]:
    start = time.perf_counter()
    graph, inputs, outputs = loaded(folder, of)
    after_load = time.perf_counter()
    found: dict[str, Any] = {"load": after_load - start, "nodes": nodes(folder / of.file)}
    config = gc.ConfigProto(intra_op_parallelism_threads=THREADS)
    with gc.Session(graph=graph, config=config) as session:
        feeds = [dict(zip(inputs, case, strict=True)) for case in cases]
        session.run(outputs, feeds[0])
        first = time.perf_counter() - after_load
        found["difference"] = max(difference(session.run(outputs, feed), right)
                                  for feed, right in zip(feeds, expected, strict=True))

        def run() -> tuple[float, ...]:
            begin, used = time.perf_counter(), time.process_time()
            session.run(outputs, feeds[0])
            return time.perf_counter() - begin, time.process_time() - used

        (found["run"], found["cpu"]), (found["peer_run"], found["peer_cpu"]) = in_turns(run, peer.run)
    found |= {"first": first, "compile": max(first - found["run"], 0.0)}
    return found


def in_turns(*runs: Any) -> list[list[float]]:
    """Medians (clock, CPU), three runs each in turn, for some seconds. The first of three is not counted: the caches
    are the other's."""
    samples: list[list[tuple[float, ...]]] = [[] for _ in runs]
    start = time.perf_counter()
    while len(samples[0]) < 4 or (time.perf_counter() - start < SECONDS and len(samples[0]) < 200):
        for kept, run in zip(samples, runs, strict=True):
            time.sleep(0.01)            # the other's threads may spin for a while
            kept += [run() for _ in range(3)][1:]
    return [list(map(statistics.median, zip(*kept, strict=True))) for kept in samples]


def in_cpp(folder: Path, of: Description, cases: Any, expected: Any, runner: str) -> dict[str, Any]:
    """The difference, and the seconds of a run; or why C++ does not run it."""
    names = of
    if of.file.endswith(".onnx"):
        graph, inputs, outputs = loaded(folder, of)
        gc.train.write_graph(graph, str(folder), "imported.pb", as_text=False)
        names = Description("imported.pb", [t.name for t in inputs], [t.name for t in outputs])
    fed, fetched = ([name.removesuffix(":0") for name in given] for given in (names.inputs, names.outputs))
    converted, found = str(folder / "converted.pb"), {"cpp_difference": 0.0}
    command = [sys.executable, "-m", "graphc.cli", "convert", str(folder / names.file), "-o", converted]
    command += [word for n in fed for word in ("--input", n)] + [word for n in fetched for word in ("--output", n)]
    done = subprocess.run(command, capture_output=True, text=True)
    for case, right in zip(cases, expected, strict=True):
        if not done.returncode:
            command = [runner, converted, "--threads", str(THREADS), "--bench", "10"]
            for i, (name, array) in enumerate(zip(fed, case, strict=True)):
                np.save(folder / f"feed{i}.npy", array)
                command += ["--feed", f"{name}={folder}/feed{i}.npy"]
            for i, name in enumerate(fetched):
                command += ["--fetch", name, "--out", f"{folder}/out{i}.npy"]
            done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return {"cpp_refused": (done.stderr or done.stdout).strip()[:600]}
        results = [np.load(folder / f"out{i}.npy") for i in range(len(right))]
        found["cpp_difference"] = max(found["cpp_difference"], difference(results, right))
    return found


def main(name: str, python: str, runner: str) -> None:
    folder = Path(name)
    of, cases = Description.read(folder), read_arrays(folder / "feeds.npz")
    peer = Peer(python, folder)
    try:
        expected = read_arrays(folder / "expected.npz")
        found = here(folder, of, cases, expected, peer)
    finally:
        peer.close()
    found |= {f"peer_{k}": v for k, v in peer.times.items()}
    found |= in_cpp(folder, of, cases, expected, runner)
    found["bytes"] = os.path.getsize(folder / of.file)
    (folder / "result.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
