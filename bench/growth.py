"""What an op costs in small and in large graphs: `python bench/growth.py [KIND ...] [--ops 1000,5000,20000]`.

For each kind of graph and size: microseconds an op to build it, and from the call of the first run to its result;
nanoseconds an op of a run; milliseconds of a run of another batch size, the median of those behind the first, which
has memory made for it. All of it in CPU time, with one thread.
"""
from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

import graphc as gc
from graphc.exec.code_queue import settle

WIDTH, RUNS, OTHERS = 8, 20, 8


def weights() -> gc.Variable:
    return gc.Variable(np.eye(WIDTH, dtype=np.float32) * np.float32(0.99))


def chain(x: gc.Tensor, ops: int) -> object:
    w = weights()
    for _ in range(ops // 2):
        x = gc.tanh(gc.matmul(x, w))
    return x


def elementwise(x: gc.Tensor, ops: int) -> object:
    for _ in range(ops // 2):
        x = gc.tanh(x * 1.01)
    return x


def wide(x: gc.Tensor, ops: int) -> object:
    w = weights()
    return gc.add_n([gc.reduce_sum(gc.tanh(gc.matmul(x * float(i), w))) for i in range(ops // 4)])


def training(x: gc.Tensor, ops: int) -> object:
    for _ in range(ops // 12):
        x = gc.tanh(gc.matmul(x, weights()) + gc.Variable(np.zeros(WIDTH, np.float32)))
    return gc.train.GradientDescentOptimizer(0.1).minimize(gc.reduce_mean(x * x))


def loops(x: gc.Tensor, ops: int) -> object:
    """Loops of two iterations in loops of two."""
    def inner(j: gc.Tensor, u: gc.Tensor) -> tuple[gc.Tensor, gc.Tensor]:
        return j + 1, gc.tanh(u) * 1.01

    def outer(i: gc.Tensor, v: gc.Tensor) -> tuple[gc.Tensor, gc.Tensor]:
        return i + 1, gc.while_loop(lambda j, u: j < 2, inner, [gc.constant(0), v])[1]

    for _ in range(ops // 12):
        x = gc.while_loop(lambda i, v: i < 2, outer, [gc.constant(0), x])[1]
    return x


KINDS: dict[str, Callable[[gc.Tensor, int], object]] = {
    f.__name__: f for f in (chain, elementwise, wide, training, loops)}


def seconds(clock: Callable[[], float], call: Callable[[], object]) -> float:
    start = clock()
    call()
    return clock() - start


def row(kind: str, ops: int) -> str:
    with gc.Graph().as_default() as graph:
        x = gc.placeholder(gc.float32, [None, WIDTH])
        start = time.process_time()
        fetched = KINDS[kind](x, ops)
        built, count = time.process_time() - start, len(graph.get_operations())
        session = gc.Session(config=gc.ConfigProto(intra_op_parallelism_threads=1))
        session.run(gc.global_variables_initializer())

    def run(rows: int) -> object:
        return session.run(fetched, {x: np.ones((rows, WIDTH), np.float32)})

    first = seconds(time.process_time, lambda: run(2))
    for _ in range(8):
        run(2)
    settle()
    run(2)
    each = min(seconds(time.thread_time, lambda: run(2)) for _ in range(RUNS))
    others = [seconds(time.thread_time, lambda rows=rows: run(rows)) for rows in range(3, 4 + OTHERS)]
    return (f"{kind:12} {count:6} ops: build {built / count * 1e6:6.1f} us an op, first run {first / count * 1e6:6.1f} "
            f"us an op, run {each / count * 1e9:7.1f} ns an op, {each * 1e3:6.2f} ms; another batch size "
            f"{statistics.median(others[1:]) * 1e3:7.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", default=list(KINDS), metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--ops", default="1000,5000,20000")
    options = parser.parse_args()
    for kind in options.kinds:
        for ops in map(int, options.ops.split(",")):
            print(row(kind, ops), flush=True)


if __name__ == "__main__":
    main()
