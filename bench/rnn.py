"""LSTM networks as a loop (dynamic_rnn) and unrolled (static_rnn): `python bench/rnn.py [--layers 2] [--units 200]`.

build     making the graph, with gradients, and the first run of both
forward   one run for the outputs, milliseconds of CPU time on one thread
train     one step of gradient descent
The last line is what an iteration costs where the work is next to nothing, in microseconds: a batch of 1, 2 units.
"""
from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import graphc as gc

ROUNDS = 30


@dataclass(frozen=True)
class Network:
    """Sizes of a network; lengths: dynamic_rnn is told how long each row is."""

    layers: int
    units: int
    batch: int
    time: int
    unrolled: bool = False
    lengths: bool = False

    def outputs(self, x: gc.Tensor) -> gc.Tensor:
        core = gc.nn.rnn_cell
        cell = core.MultiRNNCell([core.BasicLSTMCell(self.units) for _ in range(self.layers)])
        if self.unrolled:
            listed, _ = gc.nn.static_rnn(cell, gc.unstack(x, axis=1), dtype=gc.float32)
            return gc.stack(listed, 1)
        lengths = gc.fill([self.batch], self.time) if self.lengths else None
        return gc.nn.dynamic_rnn(cell, x, lengths, dtype=gc.float32)[0]

    def measure(self) -> tuple[float, float, float]:
        """Seconds to build, of a forward run, and of a training step."""
        start = time.process_time()
        with gc.Graph().as_default() as graph:
            x = gc.placeholder(gc.float32, [self.batch, self.time, self.units])
            outputs = self.outputs(x)
            step = gc.train.GradientDescentOptimizer(0.1).minimize(gc.reduce_mean(gc.square(outputs)))
            init = gc.global_variables_initializer()
        value = np.random.default_rng(0).standard_normal((self.batch, self.time, self.units)).astype(np.float32)
        config = gc.ConfigProto(intra_op_parallelism_threads=1)
        with gc.Session(graph=graph, config=config) as session:
            session.run(init)
            runs = [lambda: session.run(outputs, {x: value}), lambda: session.run(step, {x: value})]
            for run in runs:
                run()
            built = time.process_time() - start
            forward, train = (fastest(run) for run in runs)
        return built, forward, train


def fastest(run: Callable[[], object]) -> float:
    """Seconds of CPU time: other work on the machine only adds to it."""
    times = []
    run()
    for _ in range(ROUNDS):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, value in (("layers", 2), ("units", 200), ("batch", 20), ("time", 35)):
        parser.add_argument(f"--{name}", type=int, default=value)
    sizes = vars(parser.parse_args())
    print("| | build, s | forward, ms | train, ms |")
    print("|---|---|---|---|")
    for name, kind in (("loop", {}), ("loop with lengths", {"lengths": True}), ("unrolled", {"unrolled": True})):
        built, forward, train = Network(**sizes, **kind).measure()
        print(f"| {name} | {built:.2f} | {forward * 1e3:.2f} | {train * 1e3:.2f} |")
    short, long = (Network(1, 2, 1, steps).measure() for steps in (100, 500))
    forward, train = ((b - a) / 400 * 1e6 for a, b in zip(short[1:], long[1:], strict=True))
    print(f"\nan iteration: {forward:.2f} us forward, {train:.2f} us in training")


if __name__ == "__main__":
    main()
