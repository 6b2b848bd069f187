"""Session.partial_run: one run in parts. What is refused, and what each part gives, is as TensorFlow 2.21 has it."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.session import partial


@pytest.fixture(autouse=True)
def own_graph() -> None:
    gc.reset_default_graph()


def test_parts_give_what_one_run_would() -> None:
    a, b, c = (gc.placeholder(gc.float32, [], name=n) for n in "abc")
    total = a + b
    product = total * c
    with gc.Session() as session:
        handle = session.partial_run_setup([total, product], [a, b, c])
        first = session.partial_run(handle, total, {a: 1, b: 2})
        assert first == 3 and session.partial_run(handle, product, feed_dict={"c:0": first}) == 9
        with pytest.raises(gc.errors.InvalidArgumentError, match="Must run 'setup' before performing partial runs"):
            session.partial_run(handle, product)


def test_later_parts_use_what_earlier_ones_computed() -> None:
    calls = []
    a, c = gc.placeholder(gc.float32, []), gc.placeholder(gc.float32, [])
    counted = gc.py_func(lambda x: np.float32(calls.append(1) or x + len(calls)), [a], gc.float32)
    drawn = gc.random_uniform([3]) + a
    variable = gc.Variable(1.0)
    added = gc.assign_add(variable, a)
    late = [drawn * c, added * c, counted * c]
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        handle = session.partial_run_setup({"early": [drawn, added, counted], "late": late}, [a, c])
        numbers, value, count = session.partial_run(handle, (drawn, added, counted), {a: 1})
        assert (value, count, len(calls)) == (2, 2, 1)
        found = session.partial_run(handle, late, {c: 10})
        np.testing.assert_array_equal(found[0], numbers * np.float32(10))
        assert found[1:] == [20, 20] and len(calls) == 1 and session.run(variable) == 2


def test_what_is_refused() -> None:
    a, b, c = (gc.placeholder(gc.float32, [], name=n) for n in "abc")
    total = a + b
    product, foreign = total * c, a * 2.0
    with gc.Session() as session:
        handle = session.partial_run_setup([total, product], [a, b, c])
        with pytest.raises(gc.errors.InvalidArgumentError, match="c:0 is not fed"):
            session.partial_run(handle, product, {a: 1, b: 1})
        session.partial_run(handle, total, {a: 1, b: 2})       # the part that failed has fed nothing
        with pytest.raises(gc.errors.InvalidArgumentError, match="has already been fetched"):
            session.partial_run(handle, total)
        with pytest.raises(gc.errors.InvalidArgumentError, match="a:0 has already been fed"):
            session.partial_run(handle, product, {a: 3, c: 1})
        with pytest.raises(gc.errors.InvalidArgumentError, match="was not specified in partial_run_setup"):
            session.partial_run(handle, foreign)
        other = session.partial_run_setup([total], [a])
        with pytest.raises(gc.errors.InvalidArgumentError, match="b:0 was not specified in partial_run_setup"):
            session.partial_run(other, total, {a: 1, b: 1})
        with pytest.raises(gc.errors.InvalidArgumentError, match="at least one fetch"):
            session.partial_run_setup([])


def test_an_effect_is_not_repeated_for_a_control_dependency() -> None:
    a = gc.placeholder(gc.float32, [])
    variable = gc.Variable(0.0)
    added = gc.assign_add(variable, 1.0)
    with gc.control_dependencies([added]):
        behind = a + 1.0
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        handle = session.partial_run_setup([added, behind], [a])
        session.partial_run(handle, added)
        with pytest.raises(gc.errors.UnimplementedError, match="fetch both in one part"):
            session.partial_run(handle, behind, {a: 1})
        assert session.run(variable) == 1


def test_later_runs_do_not_walk_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """What parts do is found once; runs of one setup may go on beside one another."""
    walks: list[int] = []
    real = partial.needed_operations

    def counted(*arguments: Any) -> Any:
        walks.append(1)
        return real(*arguments)
    monkeypatch.setattr(partial, "needed_operations", counted)
    with gc.Graph().as_default(), gc.Session() as session:
        a, b = gc.placeholder(gc.float32), gc.placeholder(gc.float32)
        early = gc.exp(a)
        late = early * b
        for turn in range(3):
            handles = [session.partial_run_setup([early, late], [a, b]) for _ in range(2)]
            first = [session.partial_run(h, early, {a: turn + i}) for i, h in enumerate(handles)]
            last = [session.partial_run(h, late, {b: 2.0}) for h in reversed(handles)][::-1]
            np.testing.assert_allclose(first, np.exp([turn, turn + 1]), rtol=1e-6)
            np.testing.assert_allclose(last, np.multiply(first, 2), rtol=1e-6)
            assert len(walks) == 3                           # the setup and its two parts, in the first turn
