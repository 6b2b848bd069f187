"""`make bench-micro`: kernels on one thread against this machine's peak and against libraries made for them.

    PYTHONPATH=.:bench python bench/micro.py [--kind convolutions|products|maps] [--peer-python PATH] [--out FILE]

Every convolution of ResNet-50, VGG-16, MobileNet-v2 and U-Net, 36 products of matrices, 40 maps (micro_cases.py), in
CPU time, medians. Each peer is a process of its own and is asked right before graphc is: oneDNN through PyTorch,
onnxruntime, OpenBLAS through NumPy; one that --peer-python does not have is left out. Writes all figures, with what
the machine is, as JSON; bench/micro_plot.py makes pictures of that.
"""
from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_variable] = "1"

import numpy as np

import graphc as gc
from graphc.exec.code_queue import settle
from graphc.kernels.toolchain.testing import load_kernels

from kernel_timing import aligned_normal, medians, prepared
from machine import machine
from micro_cases import KINDS, MAPS, Case, Convolution, Map, Product, cases, to_text
from micro_peer import map_values

HERE = Path(__file__).parent
PEERS = ("torch", "onnxruntime", "openblas")
_KERNELS = ("conv2d", "conv2d_input_grad", "depthwise_conv2d", "matmul")
_WORDS = {"relu": gc.nn.relu, **{name: getattr(gc, name) for name in (
    "maximum", "abs", "sqrt", "exp", "log", "tanh", "sigmoid", "sin", "erf", "pow")}}


class Peer:
    """A process that answers with seconds."""

    def __init__(self, name: str, python: str) -> None:
        self.process = subprocess.Popen([python, str(HERE / "micro_peer.py"), name], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.there = self._read() == "ready"

    def seconds(self, case: Case, measuring: float = 0.15) -> float | None:
        """Median seconds of a call, found in so many seconds of measuring; None if the library has no such call."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{measuring} {to_text(case)}\n")
        self.process.stdin.flush()
        answer = self._read()
        if not answer:
            raise RuntimeError(f"the peer {self.process.args} ended at {case}")
        return None if answer == "none" else float(answer)

    def _read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def convolution(case: Convolution, kernels: dict[str, Any]) -> Callable[[], None]:
    """The filter is packed beforehand, but for transposed ones, which are the input's gradient of a convolution."""
    x = aligned_normal((case.n, case.size, case.size, case.c))
    y = aligned_normal((case.n, case.out, case.out, case.oc))
    steps = (case.stride, case.stride, 1, 1)
    if case.groups > 1:
        dims = (case.n, case.size, case.size, case.c, case.k, case.k, case.out, case.out, case.pad, case.pad)
        return prepared(kernels["depthwise_conv2d.f32"], (x, aligned_normal((case.k, case.k, case.c)), y), dims,
                        (*steps, 0))
    if case.transposed:
        dims = (case.n, case.out, case.out, case.oc, case.k, case.k, case.c, case.size, case.size)
        return prepared(kernels["conv2d_input_grad.f32"], (x, aligned_normal((case.k, case.k, case.oc, case.c)), y),
                        dims, (*steps, 0, 0), True)
    dims = (case.n, case.size, case.size, case.c, case.k, case.k, case.oc, case.out, case.out)
    return prepared(kernels["conv2d.f32"], (x, aligned_normal((case.k, case.k, case.c, case.oc)), y), dims,
                    (*steps, case.pad, case.pad), True)


def product(case: Product, kernels: dict[str, Any]) -> Callable[[], None]:
    """b is packed beforehand if it is a constant."""
    (ta, tb), batch, m, n, k, dtype = case.transposed, case.batch, case.m, case.n, case.k, np.dtype(case.dtype)
    shapes = (batch, *((k, m) if ta else (m, k))), (batch, *((n, k) if tb else (k, n))), (batch, m, n)
    return prepared(kernels[f"matmul.{dtype.kind}{8 * dtype.itemsize}"],
                    [aligned_normal(shape, dtype.type) for shape in shapes], (batch, m, n, k, m * k, k * n), (ta, tb),
                    case.constant)


def mapped(case: Map, _kernels: dict[str, Any]) -> Callable[[], None]:
    """A run that writes a variable; so it includes Session.run, and the lock of variables."""
    with gc.Graph().as_default() as graph:
        given = {name: gc.Variable(value) for name, value in map_values(case.size).items()}
        target = gc.Variable(np.zeros(case.size, np.float32))
        step = target.assign(eval(MAPS[case.name][0], {}, _WORDS | {name: v.value() for name, v in given.items()})).op
        session = gc.Session(graph=graph, config=gc.ConfigProto(intra_op_parallelism_threads=1))
        session.run(gc.global_variables_initializer())
    for _ in range(6):
        session.run(step)
    settle()
    return lambda: session.run(step)


_MAKE: dict[type, Callable[[Any, dict[str, Any]], Callable[[], None]]] = {
    Convolution: convolution, Product: product, Map: mapped}


def measured(case: Case, peers: dict[str, Peer], kernels: dict[str, Any]) -> dict[str, Any]:
    theirs = {name: seconds for name, peer in peers.items() if (seconds := peer.seconds(case)) is not None}
    own = medians({"graphc": _MAKE[type(case)](case, kernels)}, 0.15)["graphc"]
    return {"name": str(case), "case": asdict(case), "flops": case.flops, "bytes": case.bytes,
            "seconds": {"graphc": own, **theirs}}


def tell(result: dict[str, Any], top: float) -> None:
    own, flops = result["seconds"]["graphc"], result["flops"]
    ratios = [f"{name} {seconds / own:5.2f}x" for name, seconds in result["seconds"].items() if name != "graphc"]
    net = result["case"].get("net", "")
    print(f"{net:13} {result['name']:30} {own * 1e6:10.1f} us {flops / own / 1e9:7.1f} GF/s "
          f"({100 * flops / own / top:4.0f}%)  {'  '.join(ratios)}", flush=True)


def means(results: list[dict[str, Any]]) -> str:
    """Geometric means of the ratios to each peer."""
    found: dict[str, list[float]] = {}
    for result in results:
        for name, seconds in result["seconds"].items():
            found.setdefault(name, []).append(math.log(seconds / result["seconds"]["graphc"]))
    return ", ".join(f"{name} {math.exp(sum(v) / len(v)):.2f}x of {len(v)}" for name, v in found.items()
                     if name != "graphc")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", action="append", choices=KINDS)
    parser.add_argument("--peer-python", default=str(HERE.parent / "build/peers/bin/python"))
    parser.add_argument("--out", type=Path, default=HERE.parent / "build/micro.json")
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    possible = {name: Peer(name, options.peer_python) for name in PEERS} if Path(options.peer_python).exists() else {}
    peers = {name: peer for name, peer in possible.items() if peer.there}
    print("peers:", ", ".join(peers) or f"none ({options.peer_python})")
    kernels, facts = load_kernels(_KERNELS), machine(1)
    found: dict[str, list[dict[str, Any]]] = {}
    for kind in options.kind or KINDS:
        found[kind] = []
        for case in cases(kind):
            found[kind].append(measured(case, peers, kernels))
            tell(found[kind][-1], facts["peak_f32"])
        print(f"{kind}, geometric means of times graphc: {means(found[kind])}\n")
        options.out.write_text(json.dumps({"machine": facts, "results": found}, indent=1))
    print(f"written: {options.out}")


if __name__ == "__main__":
    sys.exit(main())
