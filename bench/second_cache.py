"""Maps and reductions in the second cache, against PyTorch and NumPy.

    build/peers/bin/python bench/second_cache.py [WORD ...]                # an interpreter that has PyTorch

One thread, CPU time of the
thread, medians, the three in turns. graphc's time is that of a prepared call, whose own costs are in it, as torch's
dispatch and allocation are in PyTorch's. Operands have 256 KB, of the shape that the case says.
"""
from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

import graphc as gc
from graphc.exec.code_queue import settle

from peer_timing import medians

SHAPE = (16, 64, 64)
ROWS = (256, 256)
NARROW = (8192, 8)


@dataclass(frozen=True)
class Case:
    """The same of a graphc tensor, a PyTorch tensor and an array."""

    name: str
    graphc: Callable[[gc.Tensor], gc.Tensor]
    torch: Callable[[torch.Tensor], torch.Tensor]
    numpy: Callable[[np.ndarray], np.ndarray]
    shape: tuple[int, ...] = SHAPE


def row(n: int) -> np.ndarray:
    return np.linspace(0, 1, n, dtype=np.float32)


CASES = (
    *(Case(f"sum {axis}", lambda x, a=axis: gc.reduce_sum(x, a), lambda x, a=axis: x.sum(a), lambda x, a=axis: x.sum(a))
      for axis in (0, 1, 2, (0, 1), (0, 2))),
    *(Case(f"max {axis}", lambda x, a=axis: gc.reduce_max(x, a), lambda x, a=axis: x.amax(a),
           lambda x, a=axis: x.max(a)) for axis in (0, 1, 2)),
    Case("sum 0 of 8 columns", lambda x: gc.reduce_sum(x, 0), lambda x: x.sum(0), lambda x: x.sum(0), NARROW),
    Case("sum 1 of rows of 8", lambda x: gc.reduce_sum(x, 1), lambda x: x.sum(1), lambda x: x.sum(1), NARROW),
    *(Case(f"argmax {axis}", lambda x, a=axis: gc.argmax(x, a), lambda x, a=axis: x.argmax(a),
           lambda x, a=axis: x.argmax(a)) for axis in (0, 1, 2)),
    Case("transpose", gc.transpose, lambda x: x.T.contiguous(), lambda x: np.ascontiguousarray(x.T), ROWS),
    *(Case(f"transpose {order}", lambda x, o=order: gc.transpose(x, o), lambda x, o=order: x.permute(o).contiguous(),
           lambda x, o=order: np.ascontiguousarray(x.transpose(o))) for order in ((0, 2, 1), (1, 0, 2))),
    Case("transpose, relu", lambda x: gc.nn.relu(gc.transpose(x)), lambda x: torch.relu(x.T.contiguous()),
         lambda x: np.maximum(x.T, np.float32(0)), ROWS),
    Case("reverse", lambda x: gc.reverse(x, [2]), lambda x: x.flip(2), lambda x: np.ascontiguousarray(x[..., ::-1])),
    Case("to int32", lambda x: gc.cast(x, gc.int32), lambda x: x.int(), lambda x: x.astype(np.int32)),
    Case("to float16", lambda x: gc.cast(x, gc.float16), lambda x: x.half(), lambda x: x.astype(np.float16)),
    *(Case(f"add a row of {n}", lambda x, n=n: x + row(n), lambda x, r=torch.from_numpy(row(n)): x + r,
           lambda x, r=row(n): x + r, (65536 // n, n)) for n in (8, 64, 256)),
    Case("scale, shift rows of 64", lambda x: x * row(64) + row(64),
         lambda x, r=torch.from_numpy(row(64)): torch.addcmul(r, x, r), lambda x, r=row(64): x * r + r),
    Case("cumsum 1", lambda x: gc.cumsum(x, 1), lambda x: x.cumsum(1), lambda x: x.cumsum(1)),
    Case("cumsum 2", lambda x: gc.cumsum(x, 2), lambda x: x.cumsum(2), lambda x: x.cumsum(2)),
    Case("variance 2", lambda x: gc.nn.moments(x, 2)[1], lambda x: x.var(2, correction=0), lambda x: x.var(2)),
    Case("variance (0, 1)", lambda x: gc.nn.moments(x, [0, 1])[1], lambda x: x.var((0, 1), correction=0),
         lambda x: x.var((0, 1))),
    Case("softmax", gc.nn.softmax, lambda x: x.softmax(1), lambda x: softmax(x), ROWS),
    Case("concat", lambda x: gc.concat([x, x], 2), lambda x: torch.cat([x, x], 2), lambda x: np.concatenate([x, x], 2)),
    Case("pad", lambda x: gc.pad(x, [[0, 0], [1, 1], [1, 1]]), lambda x: torch.nn.functional.pad(x, (1, 1, 1, 1)),
         lambda x: np.pad(x, [[0, 0], [1, 1], [1, 1]])),
    Case("where", lambda x: gc.where(x > 0.5, x, -x), lambda x: torch.where(x > 0.5, x, -x),
         lambda x: np.where(x > 0.5, x, -x)),
)


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def prepared(case: Case, value: np.ndarray) -> Callable[[], object]:
    with gc.Graph().as_default() as graph:
        given = gc.placeholder(gc.float32, value.shape)
        result = case.graphc(given)
        session = gc.Session(graph=graph, config=gc.ConfigProto(intra_op_parallelism_threads=1))
        call = session.make_callable(result, [given])
    for _ in range(6):
        np.testing.assert_allclose(call(value), case.numpy(value), rtol=1e-3, atol=1e-5)
    settle()
    return lambda: call(value)


def measured(case: Case) -> dict[str, float]:
    """Seconds a call of each."""
    value = np.random.default_rng(0).random(case.shape, np.float32)
    tensor = torch.from_numpy(value)
    with torch.inference_mode():
        return medians({"graphc": prepared(case, value), "torch": lambda: case.torch(tensor),
                        "numpy": lambda: case.numpy(value)}, 0.15)


def main() -> None:
    torch.set_num_threads(1)
    words = sys.argv[1:]
    print(f"{'case':26} {'graphc':>8} {'PyTorch':>8} {'NumPy':>8} us   best peer / graphc")
    for case in CASES:
        if words and not any(word in case.name for word in words):
            continue
        times = measured(case)
        best = min(times["torch"], times["numpy"])
        print(f"{case.name:26} {times['graphc'] * 1e6:8.1f} {times['torch'] * 1e6:8.1f} {times['numpy'] * 1e6:8.1f}"
              f" {best / times['graphc']:17.2f}", flush=True)


if __name__ == "__main__":
    main()
