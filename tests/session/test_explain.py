"""Session.explain: what a run's steps cost, compute and move; and the yardstick they are measured by."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.exec.machine_speed import machine_speed


def steps_of(session: gc.Session, fetches: object, feeds: dict | None = None) -> dict[str, object]:
    """By the first word of the call."""
    return {step.call.split("(")[0]: step for step in session.explain(fetches, feeds, runs=3).steps}


def test_a_product_and_its_epilogue() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x, w = gc.placeholder(gc.float32, [None, 40], name="x"), gc.constant(np.ones((40, 8), np.float32))
        y = gc.nn.relu(gc.matmul(x, w, name="product") + np.ones(8, np.float32), name="relu")
        report = session.explain(y, {x: np.ones((30, 40))})
        (step,) = [s for s in report.steps if s.call.startswith("matmul")]
    assert step.flops == 2 * 30 * 40 * 8 + 2 * 30 * 8                # the sum and the maximum, too
    assert step.bytes == 4 * (30 * 40 + 40 * 8 + 30 * 8)
    assert "product" in step.ops and "relu" in step.ops and step.calls == 1 and step.body == "main"
    peak, memory = report.machine.f32, report.machine.bandwidth
    assert step.least_microseconds == pytest.approx(1e6 * max(step.flops / peak, step.bytes / memory))
    assert 0 < step.microseconds <= report.microseconds
    assert step.gflops == pytest.approx(step.flops / step.microseconds / 1e3)


def test_maps_count_what_varies() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x, row = gc.placeholder(gc.float64, [None, 50]), gc.placeholder(gc.float64, [50])
        found = session.explain(gc.tanh(x * row), {x: np.ones((20, 50)), row: np.ones(50)}, runs=1)
    (step,) = [s for s in found.steps if s.call.startswith("map")]
    assert step.flops == 2 * 1000 and step.bytes == 8 * (1000 + 50 + 1000)
    assert step.least_microseconds == pytest.approx(
        1e6 * max(step.flops / found.machine.f64, step.bytes / found.machine.bandwidth))


def test_steps_of_loops_have_the_sizes_of_each_iteration() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        n = gc.placeholder(gc.int32, [])
        total = gc.while_loop(
            lambda i, s: i < n,
            lambda i, s: (i + 1, gc.concat([s, gc.matmul(s, np.eye(4, dtype=np.float32))], 0)),
            [0, gc.ones([1, 4])], shape_invariants=[gc.TensorShape([]), gc.TensorShape([None, 4])])[1]
        step = steps_of(session, total, {n: 3})["matmul.f32"]
    assert step.calls == 3 and step.flops == sum(2 * rows * 4 * 4 for rows in (1, 2, 4)) and step.body != "main"


def test_variables_get_their_values_back() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        v = gc.Variable(np.arange(3.0))
        more = gc.assign_add(v, [1.0, 1.0, 1.0])
        session.run(gc.global_variables_initializer())
        session.explain(more)
        np.testing.assert_array_equal(session.run(v), [0, 1, 2])
        np.testing.assert_array_equal(session.run(more), [1, 2, 3])


def test_variables_get_their_values_back_when_a_run_fails() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        v, left = gc.Variable(0), [3]
        more = gc.assign_add(v, 1)

        def fails(x: np.ndarray) -> np.ndarray:
            left[0] -= 1
            if not left[0]:
                raise ArithmeticError("enough")
            return x

        with gc.control_dependencies([more]):
            y = gc.py_func(fails, [gc.constant(1.0)], gc.float32)
        session.run(v.initializer)
        with pytest.raises(gc.errors.UnknownError, match="ArithmeticError: enough"):
            session.explain([y, more])
        assert session.run(v) == 0


def test_the_table_has_the_longest_steps_first() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.random_uniform([300, 300], name="numbers")
        report = session.explain(gc.reduce_sum(gc.matmul(x, x, name="square")))
    lines = str(report).splitlines()
    assert "us a run (median of 10)" in lines[0] and "GF/s in float32" in lines[1]
    head = next(i for i, line in enumerate(lines) if line.split()[0] == "us")
    times = [float(line.split()[0].replace(",", "")) for line in lines[head + 1:]]
    assert times[:len(report.steps)] == sorted(times[:len(report.steps)], reverse=True)
    assert any("<- square" in line and "matmul.f32(1, 300, 300, 300" in line for line in lines)


def test_memory_is_told_beside_what_no_placement_can_do_without() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 64])
        y = gc.nn.softmax(gc.matmul(gc.nn.softmax(gc.matmul(x, x, transpose_b=True)), x))
        report = session.explain(y, {x: np.ones((64, 64))}, runs=1)
    assert report.memory is not None and report.memory.shapes == ((64, 64),)
    assert report.memory.size == report.memory.least >= 64 * 64 * 4
    assert f"values between steps take {report.memory.size:,} bytes" in str(report)


def test_bad_arguments() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [2])
        with pytest.raises(ValueError, match="argument 'runs' must be at least 1, but is 0"):
            session.explain(x, {x: [1.0, 2.0]}, runs=0)
        with pytest.raises(gc.errors.InvalidArgumentError, match="must feed a value"):
            session.explain(x + 1.0)


def test_the_machine_is_measured_and_what_was_measured_only_gets_better() -> None:
    first = machine_speed(1)
    assert 1e9 < first.f64 < first.f32 < 1e12 and 1e8 < first.bandwidth < 1e12
    from graphc.exec import machine_speed as module

    module._speed.cache_clear()
    again = machine_speed(1)
    assert again.f32 >= first.f32 and again.f64 >= first.f64 and again.bandwidth >= first.bandwidth
