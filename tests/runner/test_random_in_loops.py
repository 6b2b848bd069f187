"""Random ops in loops inside loops: every iteration of every loop around draws numbers of its own, the same ones in the
Session, the runner and the reference, and in a gradient."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import pytest

import graphc as gc
from graphc.ir.dtypes import float32
from graphc.ops.random.philox import inner_iteration, uniform
from graphc.passes.snapshot.random_keys import random_key

import native as n
from files import build_runner

Draw = Callable[[], gc.Tensor]
TRIPS = 3


@pytest.fixture(scope="module")
def native() -> Iterator[n.Native]:
    yield n.Native(build_runner() / "libgraphc.so")


@pytest.fixture(autouse=True)
def fresh_graph():
    with gc.Graph().as_default():
        gc.set_random_seed(3)
        yield


def collect(depth: int, draw: Draw) -> gc.Tensor:
    """The numbers of a draw in `depth` nested loops, one row for each time that the innermost body runs."""
    def nested(level: int, found: gc.Tensor) -> gc.Tensor:
        def body(i: gc.Tensor, rows: gc.Tensor) -> list[gc.Tensor]:
            return [i + 1, nested(level - 1, rows) if level > 1 else gc.concat([rows, draw()[None]], 0)]
        return gc.while_loop(lambda i, rows: i < TRIPS, body, [0, found],
                             [gc.TensorShape([]), gc.TensorShape([None, 4])])[1]
    return nested(depth, gc.zeros([0, 4]))


def two_draws() -> gc.Tensor:
    """The numbers of the outer body and of the inner one, each kept by the next inner body."""
    def inner(found: gc.Tensor) -> gc.Tensor:
        return gc.while_loop(lambda i, drawn, rows: i < TRIPS,
                             lambda i, drawn, rows: [i + 1, gc.random_uniform([4]), gc.concat([rows, drawn[None]], 0)],
                             [0, gc.random_uniform([4]), found],
                             [gc.TensorShape([]), gc.TensorShape([4]), gc.TensorShape([None, 4])])[2]
    return gc.while_loop(lambda i, rows: i < TRIPS, lambda i, rows: [i + 1, inner(rows)], [0, gc.zeros([0, 4])],
                         [gc.TensorShape([]), gc.TensorShape([None, 4])])[1]


def in_branch() -> gc.Tensor:
    always = gc.placeholder_with_default(True, [])
    return gc.cond(always, lambda: gc.random_uniform([4]), lambda: gc.zeros([4]))


PROGRAMS: dict[str, Callable[[], gc.Tensor]] = {
    **{f"{kind} in {depth} loops": lambda depth=depth, draw=draw: collect(depth, draw)
       for depth in (1, 2, 3)
       for kind, draw in {"uniform": lambda: gc.random_uniform([4]), "normal": lambda: gc.random_normal([4]),
                          "integers": lambda: gc.cast(gc.random_uniform([4], 0, 1 << 20, gc.int32), gc.float32),
                          "branch": in_branch}.items()},
    "before and in the inner loop": two_draws,
}


@pytest.mark.parametrize("fusion", ["0", "1"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_no_iteration_repeats_another_s_numbers(native: n.Native, program: str, fusion: str,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_FUSION", fusion)
    rows = gc.identity(PROGRAMS[program](), name="rows")
    with gc.Session() as session:
        runs = [session.run(rows) for _ in range(2)]
        file = gc.freeze(session, ["rows"]).SerializeToString()
    drawn = np.concatenate(runs)
    assert len(drawn) == 2 * TRIPS ** (int(program.split()[-2]) if program[-5:] == "loops" else 2)
    assert len(np.unique(drawn, axis=0)) == len(drawn)
    with native.load(file) as model:
        for found in runs:
            np.testing.assert_array_equal(model.run([])[0], found)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_numbers_are_those_of_the_reference(depth: int) -> None:
    rows = collect(depth, lambda: gc.random_uniform([4], seed=7))
    with gc.Session() as session:
        found = [session.run(rows) for _ in range(2)]
    key = random_key(3, 7, "")
    for run, numbers in enumerate(found):
        for counters, row in zip(product(range(TRIPS), repeat=depth), numbers, strict=True):
            iteration = 0
            for counter in counters:
                iteration = inner_iteration(iteration, counter)
            assert depth > 1 or iteration == counters[0]         # a loop in no other counts 0, 1, 2, ...
            np.testing.assert_array_equal(row, uniform(key, run, iteration, 4, float32))


def test_iteration_numbers_of_nested_loops_are_distinct() -> None:
    levels = [range(40), range(40), range(40)]
    numbers = {inner_iteration(inner_iteration(inner_iteration(0, a), b), c) for a, b, c in product(*levels)}
    assert len(numbers) == 40**3
    far = [0, 1, 2**16, 2**31 - 1]
    assert len({inner_iteration(a, b) for a, b in product(far, far)}) == len(far) ** 2


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_gradient_sees_the_draw_of_its_iteration(depth: int) -> None:
    """y = the sum of x * draw: its gradient is the sum of the draws, that by x of y's square what follows."""
    x = gc.constant(np.arange(1.0, 5.0, dtype=np.float32))

    def nested(level: int, total: gc.Tensor) -> gc.Tensor:
        return gc.while_loop(lambda i, y: i < TRIPS, lambda i, y: [
            i + 1, nested(level - 1, y) if level > 1 else y + x * gc.random_uniform([4])], [0, total])[1]

    y = nested(depth, gc.zeros([4]))
    first = gc.gradients(y * y, x)[0]
    with gc.Session() as session:
        value, slope = session.run([y, first])
    np.testing.assert_allclose(slope, 2 * value * value / np.arange(1.0, 5.0), rtol=1e-5)


def test_a_run_that_fails_has_its_number(native: n.Native) -> None:
    """The numbers of the run behind it are the same in a Session and in the runner."""
    x = gc.placeholder(gc.float32, [None, None], name="x")
    rows = gc.identity(gc.random_uniform([3]) + 0.0 * gc.reduce_sum(gc.reshape(x, [-1, 2])[0]), name="rows")
    feeds = [np.ones(s, np.float32) for s in ((2, 2), (1, 3), (2, 2), (0, 0), (4, 2))]
    with gc.Session() as session, native.load(gc.freeze(session, ["rows"]).SerializeToString()) as model:
        for fed in feeds:
            try:
                expected = session.run(rows, {x: fed})
            except gc.errors.InvalidArgumentError:
                with pytest.raises(n.NativeError):
                    model.run([fed])
            else:
                np.testing.assert_array_equal(model.run([fed])[0], expected)
