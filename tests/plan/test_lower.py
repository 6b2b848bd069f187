"""Lowering: memory of results and variables, sizes, Plans by hand in the NumPy evaluator."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import InvalidArgumentError
from graphc.plan.compile import Compiled, compile_graph
from graphc.plan.plan import Call, Map
from graphc.plan.text import plan_text
from graphc.plan.verify import verify_plan

from five import CASES
from numpy_kernels import KernelError
from numpy_plan import GuardError, NumpyModel


@pytest.fixture(autouse=True)
def graph() -> Any:
    with gc.Graph().as_default() as made:
        yield made


def model(compiled: Compiled, **states: Any) -> NumpyModel:
    return NumpyModel(compiled.plan, compiled.constants, {k: np.asarray(v, np.float32) for k, v in states.items()})


def copies(compiled: Compiled) -> int:
    return sum(isinstance(s, Call) and s.kernel.startswith("copy") for s in compiled.plan.bodies[0].steps)


@pytest.mark.parametrize("name", CASES)
def test_plans_by_hand(name: str) -> None:
    """The evaluator that the other tests rely on, against NumPy."""
    case = CASES[name]()
    verify_plan(case.plan)
    assert plan_text(case.plan).count("\n") > 10
    states = {k: v.copy() for k, v in case.states.items()}
    running = NumpyModel(case.plan, case.constants, case.states, case.hosts)
    for feeds in case.feeds(np.random.default_rng(0)):
        expected = case.expected(feeds, case.constants, states)
        for found, wanted in zip(running.run(*feeds), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_one_plan_for_every_batch_size() -> None:
    x = gc.placeholder("float32", (None, 3))
    running = model(compile_graph([gc.reduce_mean(x, 0)], (), [x]))
    for n in (1, 5, 2):
        a = np.random.default_rng(n).random((n, 3)).astype(np.float32)
        np.testing.assert_allclose(running.run(a)[0], a.mean(0), rtol=1e-6)


def test_an_update_happens_in_place() -> None:
    v = gc.Variable(np.zeros(3, np.float32), name="v")
    compiled = compile_graph([], [gc.assign(v, v * 2.0 + 1.0).op])
    assert copies(compiled) == 0
    running = model(compiled, v=[1, 2, 3])
    running.run()
    np.testing.assert_array_equal(running.state("v"), [3, 5, 7])


def test_an_update_from_other_places_is_made_aside() -> None:
    v = gc.Variable(np.zeros(3, np.float32), name="v")
    running = model(compile_graph([], [gc.assign(v, gc.reverse(v, [0]) + v).op]), v=[1, 2, 4])
    running.run()
    np.testing.assert_array_equal(running.state("v"), [5, 4, 5])


def test_variables_can_be_exchanged() -> None:
    a, b = (gc.Variable(np.zeros(2, np.float32), name=n) for n in "ab")
    old_a, old_b = gc.identity(a), gc.identity(b)
    with gc.get_default_graph().control_dependencies([old_a, old_b]):
        running = model(compile_graph([], [gc.assign(a, old_b).op, gc.assign(b, old_a).op]), a=[1, 2], b=[3, 4])
    running.run()
    assert running.state("a").tolist() == [3, 4] and running.state("b").tolist() == [1, 2]


def test_old_value_new_value_and_variable() -> None:
    v = gc.Variable(np.zeros(2, np.float32), name="v")
    old, new = v + 0.0, gc.assign_add(v, np.ones(2, np.float32))
    read = gc.get_default_graph().get_tensor_by_name("v/read:0")
    running = model(compile_graph([old, v._ref(), new, read]), v=[1, 2])
    assert [x.tolist() for x in running.run()] == [[1, 2], [2, 3], [2, 3], [1, 2]]


def test_writes_apply_in_the_order_of_creation() -> None:
    v = gc.Variable(np.float32(0), name="v")
    first, second = gc.assign_add(v, 1.0), gc.assign(v, v * 0.0 + 10.0)
    third = gc.assign_add(v, 5.0)
    running = model(compile_graph([v._ref()], [third.op, second.op, first.op]), v=1)
    assert running.run()[0] == 15


def test_control_dependencies_order_reads() -> None:
    v = gc.Variable(np.float32(0), name="v")
    with gc.get_default_graph().control_dependencies([gc.assign(v, 7.0)]):
        after = v * 1.0
    assert model(compile_graph([after, v * 2.0]), v=1).run() == [7, 2]


def test_reading_before_initialising_is_an_error() -> None:
    v = gc.Variable(np.float32(0), name="v")
    with pytest.raises(KernelError, match="uninitialised"):
        model(compile_graph([v + 1.0])).run()


def test_fetches_that_no_step_computes() -> None:
    x = gc.placeholder("float32", (None,))
    c = gc.constant([1.0, 2.0])
    y = x * 2.0
    a = np.array([1, 2, 3], np.float32)
    found = model(compile_graph([x, c, y, y, gc.reshape(y, [-1, 1]), gc.expand_dims(x, 0)], (), [x])).run(a)
    for have, want in zip(found, [a, [1, 2], a * 2, a * 2, (a * 2)[:, None], a[None]], strict=True):
        np.testing.assert_array_equal(have, want)


def test_a_fetch_is_written_by_its_step() -> None:
    x = gc.placeholder("float32", (None, 2))
    compiled = compile_graph([gc.reshape(gc.tanh(x), [-1])], (), [x])
    assert copies(compiled) == 0 and len(compiled.plan.bodies[0].steps) == 1


def test_a_guard_names_what_does_not_fit() -> None:
    x, y = gc.placeholder("float32", (None, 3)), gc.placeholder("float32", (None, 2))
    running = model(compile_graph([gc.matmul(gc.transpose(x), y)], (), [x, y]))
    with pytest.raises(GuardError, match="MatMul"):
        running.run(np.ones((4, 3)), np.ones((5, 2)))


def test_sizes_of_one_broadcast_at_run_time() -> None:
    x, y = gc.placeholder("float32", (None, 3)), gc.placeholder("float32", (None, 3))
    running = model(compile_graph([x + y], (), [x, y]))
    for n, m in ((4, 1), (1, 4), (4, 4), (1, 1)):
        assert running.run(np.ones((n, 3)), np.ones((m, 3)))[0].shape == (max(n, m), 3)
    with pytest.raises(GuardError):
        running.run(np.ones((2, 3)), np.ones((4, 3)))


def test_missing_feed() -> None:
    x = gc.placeholder("float32", (None,), name="x")
    with pytest.raises(InvalidArgumentError, match="You must feed a value for placeholder tensor 'x'") as error:
        compile_graph([x + 1.0])
    assert "test_lower.py" in str(error.value)


def test_a_tensor_that_is_no_placeholder_can_be_fed() -> None:
    x = gc.placeholder("float32", (None,))
    h = x * 2.0
    assert model(compile_graph([h + 1.0, h], (), [h])).run([1.0])[0] == [2.0]


def test_the_rank_of_a_feed_decides() -> None:
    x = gc.placeholder("float32")
    compiled = compile_graph([gc.reduce_sum(gc.expand_dims(x, 0), 0)], (), [x], [2])
    np.testing.assert_array_equal(model(compiled).run(np.ones((2, 3)))[0], np.ones((2, 3)))


def test_random_numbers_do_not_depend_on_other_ops() -> None:
    def numbers(before: int) -> Any:
        with gc.Graph().as_default():
            for _ in range(before):
                gc.tanh(1.0)
            return model(compile_graph([gc.random_uniform([4], seed=3, name="u")])).run()[0]

    np.testing.assert_array_equal(numbers(0), numbers(5))


def test_random_numbers_of_two_runs_differ() -> None:
    running = model(compile_graph([gc.random_uniform([4], seed=3)]))
    assert (running.run()[0] != running.run()[0]).any()


def test_narrow_integers_wrap() -> None:
    x = gc.placeholder("uint8", (None,))
    compiled = compile_graph([x + x], (), [x])
    assert model(compiled).run(np.array([200, 3], np.uint8))[0].tolist() == [144, 6]
    assert any(isinstance(s, Map) for s in compiled.plan.bodies[0].steps)
