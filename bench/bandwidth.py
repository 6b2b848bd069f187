"""Maps and reductions of what lies in memory, against what memory gives: `python bench/bandwidth.py [WORD ...]`.

Each case is a run of its own on one thread that reads variables and writes one, all far larger than the caches; a case
is left out unless its name has one of the words. Bytes are those of operands and results, each once. The yardstick is
the time that the same bytes take the plainest loops: to be read (exec/machine_speed.py), and to be copied by memcpy,
which writes past the caches. CPU time, medians, yardsticks in turns with each case, for others may use the machine.
"""
from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

import graphc as gc
from graphc.exec.code_queue import settle

from peer_timing import medians

SIZE = 1 << 24                         # numbers of an operand
SHAPE = (128, 512, 256)
NARROW = (SIZE // 8, 8)
PICTURES = (64, 64, 64, 64)            # channels first or last


@dataclass(frozen=True)
class Case:
    """make: from variables of `shape` to the result; operands: how many it reads."""

    name: str
    make: Callable[..., gc.Tensor]
    shape: tuple[int, ...] = (SIZE,)
    operands: int = 1


def maps() -> Iterator[Case]:
    yield Case("map: negative", lambda x: -x)
    yield Case("map: scale and shift", lambda x: x * 1.5 + 0.5)
    yield Case("map: relu", gc.nn.relu)
    yield Case("map: abs", gc.abs)
    yield Case("map: sqrt", gc.sqrt)
    yield Case("map: exp", gc.exp)
    yield Case("map: tanh", gc.tanh)
    yield Case("map: sigmoid", gc.sigmoid)
    yield Case("map: log", gc.log)
    yield Case("map: sin", gc.sin)
    yield Case("map: gelu", lambda x: 0.5 * x * (1.0 + gc.erf(x * 0.707)))
    yield Case("map: polynomial", lambda x: ((x * 0.1 + 0.2) * x + 0.3) * x + 0.4)
    yield Case("map: x > 0", lambda x: x > 0.0)
    yield Case("map: rows of 64, scale, shift", lambda x: x * np.linspace(1, 2, 64, dtype=np.float32)
               + np.linspace(0, 1, 64, dtype=np.float32), (SIZE // 64, 64))
    yield Case("map: to int32", lambda x: gc.cast(x, gc.int32))
    yield Case("map: to float64", lambda x: gc.cast(x, gc.float64))
    yield Case("map: to uint8", lambda x: gc.cast(x, gc.uint8))
    yield Case("map: to float16", lambda x: gc.cast(x, gc.float16))
    yield Case("map: to bfloat16", lambda x: gc.cast(x, gc.bfloat16))
    yield Case("map: add", lambda x, y: x + y, operands=2)
    yield Case("map: divide", lambda x, y: x / y, operands=2)
    yield Case("map: where", lambda x, y: gc.where(x > y, x, y), operands=2)
    yield Case("map: residual", lambda x, y: gc.nn.relu(x * 0.9 + y), operands=2)
    yield Case("map: x * y + z", lambda x, y, z: x * y + z, operands=3)
    yield Case("map: add a row", lambda x: x + np.arange(SHAPE[2], dtype=np.float32), SHAPE)
    yield Case("map: add a column", lambda x: x + np.arange(SHAPE[1], dtype=np.float32)[:, None], SHAPE)
    yield Case("map: add a row of 8", lambda x: x + np.arange(8, dtype=np.float32), NARROW)
    yield Case("map: transpose last", lambda x: gc.transpose(x, [0, 2, 1]), SHAPE)
    yield Case("map: transpose first", lambda x: gc.transpose(x, [1, 0, 2]), SHAPE)
    yield Case("map: transpose 4096", gc.transpose, (4096, 4096))
    yield Case("map: channels last", lambda x: gc.transpose(x, [0, 2, 3, 1]), PICTURES)
    yield Case("map: channels first", lambda x: gc.transpose(x, [0, 3, 1, 2]), PICTURES)
    yield Case("map: transpose and relu", lambda x: gc.nn.relu(gc.transpose(x, [0, 2, 1]) * 1.5), SHAPE)
    yield Case("map: reverse last", lambda x: gc.reverse(x, [2]), SHAPE)
    yield Case("map: concat last", lambda x, y: gc.concat([x, y], 2), (128, 256, 256), operands=2)
    yield Case("map: split", lambda x: gc.split(x, 2, 2)[1] * 1.5, SHAPE)
    yield Case("map: pad", lambda x: gc.pad(x, [[0, 0], [1, 1], [1, 1]]), SHAPE)
    yield Case("map: tile", lambda x: gc.tile(x, [1, 2, 1]), (64, 512, 256))
    yield Case("map: gather rows", lambda x: gc.gather(x, np.random.default_rng(1).permutation(SIZE // 256)),
               (SIZE // 256, 256))


def reductions() -> Iterator[Case]:
    for axes in ([0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]):
        yield Case(f"sum {axes}", lambda x, axes=axes: gc.reduce_sum(x, axes), SHAPE)
    for axes in ([0], [1], [2]):
        yield Case(f"max {axes}", lambda x, axes=axes: gc.reduce_max(x, axes), SHAPE)
    for axes in ([0], [1]):
        yield Case(f"sum of 8 columns {axes}", lambda x, axes=axes: gc.reduce_sum(x, axes), NARROW)
        yield Case(f"sum of 4096 columns {axes}", lambda x, axes=axes: gc.reduce_sum(x, axes), (SIZE // 4096, 4096))
    yield Case("mean of squares [2]", lambda x: gc.reduce_mean(gc.square(x), 2), SHAPE)
    yield Case("sum of products", lambda x, y: gc.reduce_sum(x * y), operands=2)
    yield Case("norm", lambda x: gc.sqrt(gc.reduce_sum(x * x)))
    yield Case("all [2]", lambda x: gc.reduce_all(x > -1.0, 2), SHAPE)
    yield Case("argmax [2]", lambda x: gc.argmax(x, 2), SHAPE)
    yield Case("argmax [1]", lambda x: gc.argmax(x, 1), SHAPE)
    yield Case("argmin [0]", lambda x: gc.argmin(x, 0), SHAPE)
    yield Case("variance [2]", lambda x: gc.nn.moments(x, [2])[1], SHAPE)
    yield Case("softmax", gc.nn.softmax, (SIZE // 1024, 1024))
    yield Case("variance [0, 1]", lambda x: gc.nn.moments(x, [0, 1])[1], SHAPE)
    yield Case("cumsum [2]", lambda x: gc.cumsum(x, 2), SHAPE)
    yield Case("cumsum [1]", lambda x: gc.cumsum(x, 1), SHAPE)


def prepared(case: Case) -> tuple[Callable[[], object], int, int]:
    """A run, the bytes that it reads and those that it writes."""
    with gc.Graph().as_default() as graph:
        draw = np.random.default_rng(0)
        given = [gc.Variable(draw.random(case.shape, np.float32) + np.float32(0.5)) for _ in range(case.operands)]
        result = case.make(*(v.value() for v in given))
        target = gc.Variable(np.zeros(result.shape.as_list(), result.dtype.as_numpy_dtype))
        step = target.assign(result).op
        session = gc.Session(graph=graph, config=gc.ConfigProto(intra_op_parallelism_threads=1))
        session.run(gc.global_variables_initializer())
    for _ in range(6):
        session.run(step)
    settle()
    written = int(np.prod(result.shape.as_list())) * result.dtype.size
    return lambda: session.run(step), case.operands * 4 * int(np.prod(case.shape)), written


def main() -> None:
    words = sys.argv[1:]
    source, target = np.ones(SIZE, np.float32), np.ones(SIZE, np.float32)
    print(f"{'case':28} {'ms':>8} {'GB/s':>7} {'of memory':>10}")
    for case in [*maps(), *reductions()]:
        if words and not any(word in case.name for word in words):
            continue
        run, read, written = prepared(case)
        times = medians({"case": run, "copy": lambda: np.copyto(target, source),
                         "read": lambda: source.view(np.uint64).max()}, 0.3)
        least = written * times["copy"] / target.nbytes + max(read - written, 0) * times["read"] / source.nbytes
        print(f"{case.name:28} {times['case'] * 1e3:8.2f} {(read + written) / times['case'] / 1e9:7.1f} "
              f"{least / times['case']:10.0%}", flush=True)


if __name__ == "__main__":
    main()
