"""One run on two GPUs: ops where they were placed, values copied between, variables that both use, loops, lists."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from test_cuda_mixed import only_engine, top_k
from test_cuda_session import engines

import graphc as gc
from graphc import errors
from graphc.exec.cuda import driver

from on_both import DEVICES, ON_GPU
from stand_in import StandIn
from stand_in_driver import driver_standing_in

pytestmark = [pytest.mark.usefixtures("without_top_k"),
              pytest.mark.skipif(ON_GPU, reason="for machines with several GPUs, of which there was none yet")]
RANDOM = np.random.default_rng(31)
ONE, TWO = "/gpu:0", "/gpu:1"


@pytest.fixture(params=DEVICES, autouse=True)
def two(request: Any) -> Iterator[Any]:
    """Two GPUs, neither of which may touch the other one's memory."""
    if request.param == "emulator":
        before, made = list(driver._found), [StandIn(), StandIn()]
        made[1].device_memory._next = 1 << 20      # addresses that the first one does not have
        driver._found[:] = made  # type: ignore[assignment]
        try:
            yield made
        finally:
            driver._found[:] = before
        return
    with driver_standing_in(request.param, devices=2) as library:
        yield driver.find_devices()
        said = library.complaint()
        library.mend()
        assert not said, said


def floats(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


Build = Callable[[str, str], Any]


def results(build: Build, feeds: Any, one: str, other: str, runs: int) -> list[Any]:
    with gc.Graph().as_default() as graph, gc.Session(config=gc.ConfigProto(allow_soft_placement=True)) as session:
        gc.set_random_seed(3)
        fetches = build(one, other)
        given = [op.outputs[0] for op in graph.get_operations() if op.type == "Placeholder"]
        if gc.global_variables():
            session.run(gc.global_variables_initializer())
        for _ in range(runs):
            found = session.run(fetches, dict(zip(given, feeds, strict=True)))
        if (one, other) == (ONE, TWO):
            parts = [part for engine in engines(session) for part in getattr(engine, "parts", ())]
            assert {part.device for part in parts if part.steps} == {0, 1}
        return [value for value in found if value is not None]


def check(build: Build, *feeds: Any, runs: int = 2) -> None:
    """Two GPUs give what the CPU does."""
    for ours, theirs in zip(results(build, feeds, ONE, TWO, runs), results(build, feeds, "/cpu:0", "/cpu:0", runs),
                            strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rows", [0, 1, 3, 17, 65])
def test_values_go_from_one_to_the_other(rows: int) -> None:
    def build(one: str, other: str) -> Any:
        x = gc.placeholder(gc.float32, [None, 5])
        with gc.device(one):
            a = gc.exp(-x * x)
        with gc.device(other):
            b = gc.matmul(a, a, transpose_a=True) + gc.sin(x[:1] if rows else gc.zeros([1, 5]))
        with gc.device(one):
            c = gc.matmul(a, b) * 2.0
        return [a, b, c, top_k(c, 2).values]

    check(build, floats(rows, 5))


def test_each_does_what_was_placed_on_it(two: Any) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [6])
        with gc.device(TWO):
            a = gc.exp(x, name="a")
        with gc.device(ONE):
            b = gc.sin(a, name="b")
        c = gc.tan(x, name="c")
        session.run([b, c], {x: floats(6)})
        engine = only_engine(session)
        assert engine.devices == (two[1], two[0]) and engine.numbers == (1, 0)
        assert engine.done_there() == {("a", "Exp"): 0, ("b", "Sin"): 1, ("c", "Tan"): 0}


def towers(one: str, other: str) -> Any:
    """Two halves of a batch, each with its gradients on a GPU of its own; the first one has the variables."""
    x, y = gc.placeholder(gc.float32, [None, 6]), gc.placeholder(gc.float32, [None, 3])
    with gc.device(one):
        w, b = gc.Variable(np.full((6, 3), 0.1, np.float32)), gc.Variable(np.zeros(3, np.float32))
    gradients, losses = [], []
    for number, name in enumerate((one, other)):
        with gc.device(name):
            half = slice(number, None, 2)
            loss = gc.reduce_mean(gc.square(gc.tanh(gc.matmul(x[half], w) + b) - y[half]))
            gradients.append(gc.gradients(loss, [w, b]))
            losses.append(loss)
    with gc.device(one):
        means = [(p + q) * 0.5 for p, q in zip(*gradients, strict=True)]
        train = gc.train.MomentumOptimizer(0.5, 0.9).apply_gradients(list(zip(means, [w, b], strict=True)))
    return [*losses, train, *means]


def test_halves_of_a_batch_are_trained_on() -> None:
    check(towers, floats(8, 6), floats(8, 3), runs=4)


def test_the_parts_of_towers_are_few() -> None:
    """A tower is a part or two, launched before the other one is waited for."""
    with gc.Graph().as_default(), gc.Session() as session:
        fetches = towers(ONE, TWO)
        session.run(gc.global_variables_initializer())
        given = [op.outputs[0] for op in session.graph.get_operations() if op.type == "Placeholder"]
        session.run(fetches[2], dict(zip(given, (floats(8, 6), floats(8, 3)), strict=True)))
        found = [e for e in engines(session) if len(getattr(e, "devices", ())) == 2]
        devices = [part.device for engine in found[-1:] for part in engine.parts if part.steps]
    assert {*devices} == {0, 1} and len(devices) <= 3


def test_a_variable_written_on_one_is_read_on_the_other() -> None:
    def build(one: str, other: str) -> Any:
        x = gc.placeholder(gc.float32, [4])
        with gc.device(one):
            v = gc.Variable(np.ones(4, np.float32))
        with gc.device(other):
            before = gc.exp(-v.read_value())
        with gc.control_dependencies([before]), gc.device(one):
            added = gc.assign_add(v, x)
        with gc.control_dependencies([added]), gc.device(other):
            behind = gc.sin(v.read_value())
            again = gc.assign(v, behind * 2.0)
        with gc.control_dependencies([again]), gc.device(one):
            return [before, behind, v.read_value() + 1.0]

    check(build, floats(4), runs=3)


@pytest.mark.parametrize("times", [0, 1, 4])
def test_loops_and_branches(times: int) -> None:
    def build(one: str, other: str) -> Any:
        x, n = gc.placeholder(gc.float32, [None, 3]), gc.placeholder(gc.int32, [])

        def body(i: Any, y: Any, z: Any) -> Any:
            with gc.device(other):
                new = gc.tanh(y * z)
            with gc.device(one):
                return i + 1, gc.cond(gc.equal(i % 2, 0), lambda: gc.exp(-new * new), lambda: new + y), gc.sin(new)

        with gc.device(other):
            start = gc.cos(x)
        found = gc.while_loop(lambda i, *_: i < n, body, [0, start, x])
        with gc.device(other):
            inner = gc.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, gc.sin(y) + x), [0, found[1]])[1]
        return [found[1], found[2], inner, *gc.gradients(gc.reduce_sum(inner * found[2]), x)]

    check(build, floats(5, 3), np.int32(times))


def test_lists() -> None:
    def build(one: str, other: str) -> Any:
        x = gc.placeholder(gc.float32, [None, 20])
        with gc.device(other):
            made = gc.TensorArray(gc.float32, size=3, clear_after_read=False).write(0, gc.exp(-x))
        with gc.device(one):
            made = made.write(1, gc.sin(x)).write(2, gc.cos(x))
            first = made.read(0) * 2.0
        with gc.device(other):
            return [first, gc.exp(made.stack()), made.read(1) + x]

    check(build, floats(4, 20))


def test_a_refused_run_changes_nothing_anywhere() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        i = gc.placeholder(gc.int32, [None])
        with gc.device(ONE):
            v = gc.Variable(np.ones(30, np.float32))
        with gc.device(TWO):
            picked = gc.gather(gc.exp(v.read_value()), i)
        with gc.control_dependencies([picked]), gc.device(ONE):
            step = gc.assign(v, v * 2.0 + gc.reduce_sum(picked) * 0.0)
        session.run(v.initializer)
        session.run(step, {i: [3]})
        with pytest.raises(errors.InvalidArgumentError, match="not in"):
            session.run(step, {i: [31]})
        assert session.run(v).tolist() == [2.0] * 30
        session.run(step, {i: [29]})
        assert session.run(v).tolist() == [4.0] * 30


def test_placement_is_logged_and_traced(capfd: Any) -> None:
    with gc.Graph().as_default(), gc.Session(config=gc.ConfigProto(log_device_placement=True)) as session:
        with gc.device(ONE):
            x = gc.placeholder(gc.float32, [4])
            a = gc.exp(x, name="a")
        with gc.device(TWO):
            b = gc.sin(a, name="b")
        told = gc.RunMetadata()
        session.run(b, {x: floats(4)}, options=gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE), run_metadata=told)
    said = capfd.readouterr().err
    placed = dict(line.split(": (") for line in said.splitlines())
    assert placed["a"].endswith("GPU:0") and placed["b"].endswith("GPU:1")
    assert any("GPU 0: map(exp)" in line for line in told.kernels)
    assert any("GPU 1: map(sin)" in line for line in told.kernels)
    assert {"GPU:0", "GPU:1"} <= {stats.device[-5:] for stats in told.step_stats.dev_stats}


@pytest.mark.parametrize("size", [1, 17])
def test_a_value_that_all_have_stays_where_a_loop_wants_it(size: int) -> None:
    """The other GPU gets it from the host, which has it, too: the loop's operand is still the first one's."""
    def build(one: str, other: str) -> Any:
        x, n = gc.placeholder(gc.float32, [size]), gc.placeholder(gc.int32, [])
        with gc.device(one):
            y = gc.tanh(x)
        with gc.device("/cpu:0"):
            host = gc.py_func(lambda v: v * 2, [y], gc.float32)
        with gc.device(other):
            z = gc.sin(y) + gc.reshape(host, [size])
        with gc.device(one):
            s = gc.while_loop(lambda i, s: i < n, lambda i, s: (i + 1, gc.cos(s) + y), [0, x])[1]
        with gc.device(other):
            t = gc.while_loop(lambda i, t: i < n, lambda i, t: (i + 1, gc.cos(t) * y), [0, z])[1]
        return [y, host, z, s, t]

    for times in (0, 3):
        check(build, floats(size), np.int32(times))
