"""Barriers of a session. What comes out and what is refused is what TensorFlow answers."""
from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from until import until_inside

import graphc as gc
from graphc import errors
from graphc.ir.apply import apply
from graphc.ir.op import OPS

Barrier = gc.python.ops.data_flow_ops.Barrier
FIRST = -2**63


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


@pytest.fixture
def session(graph: gc.Graph) -> Iterator[gc.Session]:
    with gc.Session() as made:
        yield made


def _barrier() -> Any:
    return Barrier((gc.string, gc.int32), shapes=((), ()), name="b")


def _shown(taken: Any) -> list[Any]:
    indices, keys, values = taken
    return [np.asarray(a).tolist() for a in (indices, keys, *values)]


def test_elements_come_in_the_order_of_their_keys(session: gc.Session) -> None:
    b = _barrier()
    for component, keys, values in ((0, ["k1", "k2"], ["a", "b"]), (1, ["k1"], [1]), (0, ["k3"], ["c"]),
                                    (1, ["k3"], [3])):
        session.run(b.insert_many(component, keys=keys, values=values))
    assert session.run([b.ready_size(), b.incomplete_size()]) == [2, 1]
    session.run(b.insert_many(1, keys=["k2"], values=[2]))
    taken = b.take_many(2)
    assert [t.shape.as_list() for t in (taken[0], taken[1], *taken[2])] == [[2]] * 4
    assert taken[0].op.name == "b_BarrierTakeMany" and taken[1].dtype == gc.string
    assert _shown(session.run(taken)) == [[FIRST, FIRST], [b"k1", b"k2"], [b"a", b"b"], [1, 2]]
    assert _shown(session.run(b.take_many(0))) == [[], [], [], []]
    assert _shown(session.run(b.take_many(1))) == [[FIRST + 1], [b"k3"], [b"c"], [3]]


def test_shapes_that_nobody_declared(session: gc.Session) -> None:
    b = Barrier([gc.float32, gc.int32])
    x = gc.placeholder(gc.float32, [None, 2, None])
    put, names = b.insert_many(0, ["p", "q"], x), b.insert_many(1, ["p", "q"], [1, 2])
    n = gc.placeholder(gc.int32, [])
    taken = b.take_many(n)
    session.run([put, names], {x: np.arange(12).reshape(2, 2, 3)})
    values = session.run(taken, {n: 2})[2]
    np.testing.assert_array_equal(values[0], np.arange(12, dtype=np.float32).reshape(2, 2, 3))
    assert values[1].tolist() == [1, 2]
    session.run(b.insert_many(1, ["p", "q"], [1, 2]))
    session.run(b.insert_many(0, ["p"], x), {x: np.ones((1, 2, 3))})
    session.run(b.insert_many(0, ["q"], x), {x: np.ones((1, 2, 4))})
    with pytest.raises(errors.InvalidArgumentError, match="elements of component 0 have different shapes"):
        session.run(taken, {n: 2})


def test_one_component_and_no_keys(session: gc.Session) -> None:
    b = Barrier(gc.float32, shapes=[2])
    session.run(b.insert_many(0, gc.zeros([0], gc.string), gc.zeros([0, 2])))
    session.run(b.insert_many(0, ["k"], [[1.0, 2.0]]))
    assert _shown(session.run(b.take_many(1))) == [[FIRST], [b"k"], [[1.0, 2.0]]]


def test_what_is_refused(session: gc.Session) -> None:
    b, x = _barrier(), gc.placeholder(gc.int32)
    session.run(b.insert_many(0, ["k1"], ["a"]))
    with pytest.raises(errors.InvalidArgumentError, match="Key k1 already has a value for component 0"):
        session.run(b.insert_many(0, ["k1"], ["a"]))
    with pytest.raises(ValueError, match="'component_index' must be below the number of components, 2, but is 2"):
        b.insert_many(2, ["k1"], [1])
    with pytest.raises(ValueError, match="have 2 and 3"):
        b.insert_many(1, ["k1", "k2"], [1, 2, 3])
    with pytest.raises(ValueError, match=r"'keys' .* must have one axis"):
        b.insert_many(1, [["k1", "k2"]], [1, 2])
    with pytest.raises(errors.InvalidArgumentError, match=r"Shape mismatch in component 1. Expected \[\], got \[2\]"):
        session.run(b.insert_many(1, ["k1"], x), {x: [[1, 2]]})
    with pytest.raises(errors.InvalidArgumentError, match=r"shapes \[1\] and \[2\]"):
        session.run(b.insert_many(1, ["k1"], x), {x: [1, 2]})
    with pytest.raises(errors.InvalidArgumentError, match="-1 elements cannot be taken out"):
        session.run(b.take_many(x), {x: -1})
    with pytest.raises(errors.UnimplementedError, match="'timeout' is not supported, but is 5"):
        b.take_many(1, timeout=5)
    with pytest.raises(ValueError, match=r"Empty tensors are not supported, but received shape '\(0,\)' at index 1"):
        Barrier((gc.string, gc.int32), shapes=((), (0,)))
    with pytest.raises(ValueError, match="a shape for each of the 2 components, but has 1"):
        Barrier((gc.string, gc.int32), shapes=((),))
    for op, inputs, field in (("Barrier", [], "capacity"), ("BarrierTakeMany", [b.barrier_ref, 1], "timeout_ms")):
        with pytest.raises(ValueError, match=f"'{field}' of {op} must be -1, but is 3"):
            apply(OPS[op], *inputs, component_types=(gc.string, gc.int32), **{field: 3})
    free = Barrier((gc.string, gc.float32))
    with pytest.raises(errors.InvalidArgumentError, match=r"no elements are not supported: received shape \[1, 0\]"):
        session.run(free.insert_many(1, ["k1"], gc.zeros([1, 0])))
    with pytest.raises(errors.UnimplementedError, match="rank of component 0 is not known: give the barrier `shapes`"):
        session.run(free.take_many(1))


def test_a_closed_barrier_takes_no_new_keys(session: gc.Session) -> None:
    b = _barrier()
    session.run(b.insert_many(0, ["k1", "k2", "k3"], ["a", "b", "c"]))
    session.run(b.insert_many(1, ["k1"], [1]))
    session.run(b.close())
    with pytest.raises(errors.CancelledError, match="is already closed"):
        session.run(b.close())
    with pytest.raises(errors.CancelledError, match="attempted to insert a brand new key: new"):
        session.run(b.insert_many(0, ["new"], ["a"]))
    session.run(b.insert_many(1, ["k2"], [2]))
    few = b.take_many(3, allow_small_batch=True)
    assert few[0].shape.as_list() == [None]
    assert _shown(session.run(few)) == [[FIRST, FIRST], [b"k1", b"k2"], [b"a", b"b"], [1, 2]]
    with pytest.raises(errors.OutOfRangeError, match=r"insufficient elements \(requested 5, total size 1\)"):
        session.run(b.take_many(5))
    session.run(b.insert_many(1, ["k3"], [3]))
    with pytest.raises(errors.OutOfRangeError, match=r"requested 3, total size 1"):
        session.run(b.take_many(3))
    assert _shown(session.run(few)) == [[FIRST], [b"k3"], [b"c"], [3]]
    for n in (3, 0):
        with pytest.raises(errors.OutOfRangeError, match="total size 0"):
            session.run(b.take_many(n, allow_small_batch=True))
    session.run(b.close(cancel_pending_enqueues=True))
    with pytest.raises(errors.CancelledError, match="is already closed"):
        session.run(b.close(cancel_pending_enqueues=True))


def test_closing_may_drop_what_is_incomplete(session: gc.Session) -> None:
    b = _barrier()
    session.run(b.insert_many(0, ["k1", "k2"], ["a", "b"]))
    session.run(b.insert_many(1, ["k1"], [1]))
    session.run(b.close(cancel_pending_enqueues=True))
    assert session.run([b.ready_size(), b.incomplete_size()]) == [1, 0]
    with pytest.raises(errors.CancelledError, match="closed"):
        session.run(b.insert_many(1, ["k2"], [2]))
    assert _shown(session.run(b.take_many(2, allow_small_batch=True))) == [[FIRST], [b"k1"], [b"a"], [1]]


def test_saved_and_loaded() -> None:
    b = Barrier((gc.string, gc.float32), shapes=((), (None,)), name="b")
    b.insert_many(0, ["k"], ["a"], name="letters")
    b.insert_many(1, ["k"], [[1.0, 2.0]], name="numbers")
    b.take_many(1, name="taken")
    saved = gc.get_default_graph().as_graph_def().SerializeToString()
    with gc.Graph().as_default():
        gc.import_graph_def(gc.GraphDef.FromString(saved), name="")
        with gc.Session() as session:
            session.run(["letters", "numbers"])
            found = session.run([f"taken:{i}" for i in range(4)])
            assert [f.tolist() for f in found] == [[FIRST], [b"k"], [b"a"], [[1, 2]]]


@pytest.mark.parametrize("how", ["completed", "closed", "session", "time"])
def test_taking_waits(how: str) -> None:
    b = _barrier()
    letters, numbers = b.insert_many(0, ["k1", "k2"], ["a", "b"]), b.insert_many(1, ["k1", "k2"], [1, 2])
    close, taken, session, found = b.close(True), b.take_many(2), gc.Session(), []

    def run() -> None:
        try:
            found.append(_shown(session.run(taken, options=gc.RunOptions(timeout_in_ms=300 * (how == "time")))))
        except errors.OpError as error:
            found.append(type(error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    session.run(letters)
    if how != "time":
        until_inside(thread, "_wait")
    if how == "completed":
        session.run(numbers)
    elif how == "closed":
        session.run(close)
    elif how == "session":
        session.close()
    thread.join(20)
    assert found == [{"completed": [[FIRST, FIRST], [b"k1", b"k2"], [b"a", b"b"], [1, 2]],
                      "closed": errors.OutOfRangeError, "session": errors.CancelledError,
                      "time": errors.DeadlineExceededError}[how]]
