"""Conditional accumulators of a session. The numbers and the rules are what TensorFlow's answer."""
from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from until import until_inside

import graphc as gc
from graphc import errors


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


@pytest.fixture
def session(graph: gc.Graph) -> Iterator[gc.Session]:
    with gc.Session() as made:
        yield made


def test_the_mean_of_what_is_not_stale(session: gc.Session) -> None:
    a = gc.ConditionalAccumulator(gc.float32, shape=[2], name="acc")
    assert (a.name, a.dtype, a.accumulator_ref.op.type) == ("acc", gc.float32, "ResourceConditionalAccumulator")
    session.run(a.apply_grad([1.0, 2.0]))
    session.run(a.apply_grad([3.0, 5.0], local_step=7))
    assert session.run(a.num_accumulated()) == 2
    mean = a.take_grad(1)
    assert mean.shape.as_list() == [2] and a.num_accumulated().op.name.startswith("acc_NumAccumulated")
    np.testing.assert_array_equal(session.run(mean), np.float32([2, 3.5]))
    session.run(a.apply_grad([3.0, 5.0], local_step=0))       # the accumulator is at step 1
    assert session.run(a.num_accumulated()) == 0
    session.run(a.set_global_step(5))
    session.run(a.set_global_step(2))
    session.run([a.apply_grad([3.0, 5.0], local_step=gc.constant(2)), a.apply_grad([3.0, 5.0], local_step=1)])
    assert session.run(a.num_accumulated()) == 1


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_sum_of_each_dtype(session: gc.Session, dtype: str) -> None:
    a = gc.ConditionalAccumulator(dtype, shape=[2], reduction_type="SUM")
    x = gc.placeholder(dtype, [2])
    put = a.apply_grad(x)
    for value in ([-7, 1], [2, 4]):
        session.run(put, {x: value})
    found = session.run(a.take_grad(2))
    assert found.dtype == dtype and found.tolist() == [-5, 5]


def test_what_is_put_in_says_the_shape(session: gc.Session) -> None:
    a = gc.ConditionalAccumulator(gc.float32)
    x = gc.placeholder(gc.float32, [None, 2])
    put, mean = a.apply_grad(x), a.take_grad(2)
    for _ in range(2):
        session.run(put, {x: np.ones((3, 2))})
    with pytest.raises(errors.InvalidArgumentError, match=r"Shape mismatch: expected \[3, 2\], got \[4, 2\]"):
        session.run(put, {x: np.ones((4, 2))})
    assert session.run(gc.reduce_sum(mean)) == 6
    session.run(put, {x: np.ones((4, 2))})                    # nothing in it holds it to 3 rows any more
    scalar = gc.ConditionalAccumulator(gc.float32, shape=[])
    session.run(scalar.apply_grad(3.0))
    assert session.run(scalar.take_grad(1)) == 3


def test_what_is_refused(session: gc.Session) -> None:
    a = gc.ConditionalAccumulator(gc.float32, shape=[2])
    x = gc.placeholder(gc.float32)
    with pytest.raises(ValueError, match=r"not compatible|incompatible"):
        a.apply_grad([1.0, 2.0, 3.0])
    with pytest.raises(errors.InvalidArgumentError, match="num_required must be positive, but is 0"):
        session.run(a.take_grad(0))
    with pytest.raises(errors.InvalidArgumentError, match=r"Shape mismatch: expected \[2\], got \[3\]"):
        session.run(a.apply_grad(x), {x: [1, 2, 3]})
    with pytest.raises(ValueError, match=r"'reduction_type' .* must be one of MEAN, SUM, but is 'MIN'"):
        gc.ConditionalAccumulator(gc.float32, shape=[2], reduction_type="MIN")
    with pytest.raises(ValueError, match=r"'dtype' .* must be one of float16, float32, float64, but is int32"):
        gc.ConditionalAccumulator(gc.int32, shape=[2])
    with pytest.raises(errors.UnimplementedError, match="rank of the gradients is not known: give it `shape`"):
        session.run(gc.ConditionalAccumulator(gc.float32).take_grad(1))


def test_taking_waits_for_enough(session: gc.Session) -> None:
    a = gc.ConditionalAccumulator(gc.float32, shape=[])
    put, mean = a.apply_grad(4.0), a.take_grad(2)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(session.run(mean)), daemon=True)
    thread.start()
    session.run(put)
    until_inside(thread, "_wait")
    assert session.run(a.num_accumulated()) == 1
    session.run(put)
    thread.join(20)
    assert found == [4.0] and session.run(a.num_accumulated()) == 0


def test_waiting_ends_with_the_session_or_the_time() -> None:
    a = gc.ConditionalAccumulator(gc.float32, shape=[])
    mean, session, found = a.take_grad(1), gc.Session(), []
    with pytest.raises(errors.DeadlineExceededError):
        session.run(mean, options=gc.RunOptions(timeout_in_ms=100))

    def run() -> None:
        try:
            session.run(mean)
        except errors.CancelledError as error:
            found.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    until_inside(thread, "_wait")
    session.close()
    thread.join(20)
    assert len(found) == 1


def test_an_accumulator_in_a_branch(session: gc.Session) -> None:
    a = gc.ConditionalAccumulator(gc.float32, shape=[2])
    with gc.control_dependencies([a.apply_grad([1.0, 2.0])]):
        found = gc.cond(a.num_accumulated() >= 2, lambda: a.take_grad(2), lambda: gc.zeros([2]))
    assert [session.run(found).tolist() for _ in range(4)] == [[0, 0], [1, 2], [0, 0], [0, 0]]   # then stale


def test_saved_and_loaded() -> None:
    a = gc.ConditionalAccumulator(gc.float32, name="a")
    a.apply_grad([1.0, 2.0], name="put")
    a.take_grad(1, name="mean")
    p = gc.SparseConditionalAccumulator(gc.float32, shape=[None, 2], reduction_type="SUM", name="p")
    p.apply_grad([1], [[1.0, 2.0]], name="put_row")
    p.take_grad(2, name="rows")
    saved = gc.get_default_graph().as_graph_def().SerializeToString()
    with gc.Graph().as_default():
        gc.import_graph_def(gc.GraphDef.FromString(saved), name="")
        with gc.Session() as session:
            session.run("put")
            assert session.run("mean:0").tolist() == [1, 2]
            session.run("put_row")
            session.run("put_row")
            assert [f.tolist() for f in session.run(["rows:0", "rows:1", "rows:2"])] == [[1], [[2, 4]], [-1, 2]]


@pytest.mark.parametrize("shape", [[3, 2], [None, 2], [], None])
def test_the_mean_of_rows_over_the_gradients_that_have_them(session: gc.Session, shape: Any) -> None:
    p = gc.SparseConditionalAccumulator(gc.float32, shape=shape)
    session.run(p.apply_grad([0, 2], [[1.0, 2.0], [3.0, 4.0]], [3, 2]))
    session.run(p.apply_grad([1, 2], [[1.0, 2.0], [3.0, 8.0]]))
    session.run(p.apply_indexed_slices_grad(gc.IndexedSlices(gc.constant([[5.0, 5.0]]), gc.constant([2]))))
    taken = p.take_grad(3)
    indices, values, sizes = session.run(taken)
    assert indices.tolist() == [0, 1, 2] and indices.dtype == np.int64
    np.testing.assert_allclose(values, np.float32([[1, 2], [1, 2], [11 / 3, 17 / 3]]), rtol=1e-6)
    assert sizes.tolist() == [3 if shape == [3, 2] else -1, 2]


def test_rows_out_of_order_meet_as_in_tensorflow(session: gc.Session) -> None:
    p = gc.SparseConditionalAccumulator(gc.float32, shape=[3, 2])
    session.run(p.apply_grad([2, 0, 2], [[1.0, 2.0], [3.0, 4.0], [10.0, 10.0]], [3, 2]))
    session.run(p.apply_grad([1, 2, 0], [[1.0, 2.0], [3.0, 8.0], [20.0, 20.0]]))
    indices, values, _ = session.run(p.take_grad(1))
    assert (indices.tolist(), values.tolist()) == OUT_OF_ORDER


def test_rows_that_do_not_fit(session: gc.Session) -> None:
    p = gc.SparseConditionalAccumulator(gc.float32, shape=[3, 2])
    for indices, values, sizes, message in BAD_ROWS:
        i, v = gc.placeholder(gc.int64), gc.placeholder(gc.float32)
        with pytest.raises(errors.InvalidArgumentError, match=message):
            session.run(p.apply_grad(i, v, sizes), {i: indices, v: values})
    session.run(p.apply_grad([0], [[1.0, 2.0]]))
    session.run(p.apply_grad(gc.zeros([0], gc.int64), gc.zeros([0, 2])))
    found = session.run(p.take_indexed_slices_grad(2))
    assert found.indices.tolist() == [0] and found.values.tolist() == [[1, 2]] and found.dense_shape.tolist() == [3, 2]
    assert session.run(p.num_accumulated()) == 0


OUT_OF_ORDER = ([1, 2, 0, 2], [[1, 2], [2, 5], [11.5, 12], [10, 10]])
BAD_ROWS = [([0], [1.0], None, "Shape mismatch"), ([0], [[1.0, 2.0, 3.0]], None, "Shape mismatch"),
            ([0], [[1.0, 2.0]], [4, 2], r"Shape mismatch: expected shape \[3, 2\], got \[4, 2\]"),
            ([0], [[1.0, 2.0]], [4, 2, 1], "Shape mismatch"), 
            ([0, 1], [[1.0, 2.0]], None, "Expected 2 .* values, got 1"),
            ([[0]], [[1.0, 2.0]], None, "indices should be vector"), ([0], 1.0, None, "cannot be 0-dimensional")]
