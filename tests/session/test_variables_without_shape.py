"""Variables without a known shape (docs/adr/0031-variables-without-a-shape.md). Numbers and static shapes are those of
TensorFlow 2.21 (compat.v1), but that a fetched variable is its value at the end of the run."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc.plan import compile


@pytest.fixture(autouse=True)
def graph() -> Iterator[gc.Graph]:
    with gc.Graph().as_default() as made:
        yield made


def grown() -> tuple[gc.Variable, gc.Tensor]:
    """An empty list, and what puts 7 behind it."""
    v = gc.Variable([], validate_shape=False, name="v")
    return v, gc.assign(v, gc.concat([v, [7.0]], 0), validate_shape=False)


def test_static_shapes() -> None:
    v, grow = grown()
    assert [t.shape.ndims for t in (v, v.value(), v.read_value(), v.initialized_value(), grow)] == [None] * 4 + [1]
    w = gc.get_variable("w", initializer=gc.placeholder_with_default(np.ones((2, 2)), [None, 2]), validate_shape=False)
    assert w.shape.ndims is None
    assert gc.assign(w, gc.zeros([3, 4], gc.float64), validate_shape=False).shape.as_list() == [3, 4]


def test_a_list_grows() -> None:
    v, grow = grown()
    total, length = gc.reduce_sum(v), gc.shape(v)
    with gc.Session() as session:
        session.run(v.initializer)
        assert session.run(v).tolist() == []
        assert session.run([v, grow])[0].tolist() == [7.0]
        for _ in range(3):
            session.run(grow)
        assert session.run([total, length])[0] == 28.0 and session.run(length).tolist() == [4]
        kept = session.run(v)
        kept[:] = 0
        assert session.run(v).tolist() == [7.0] * 4


def test_the_rank_chooses_the_plan_and_the_size_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    original = compile.compile_graph
    monkeypatch.setattr(compile, "compile_graph", lambda *a, **k: made.append(1) or original(*a, **k))
    v = gc.Variable(0.0, validate_shape=False)
    x = gc.placeholder(gc.float32, None)
    change, double, shape = gc.assign(v, x, validate_shape=False), v.assign(v * 2.0), gc.shape(v)
    with gc.Session() as session:
        for value in (1.0, [1.0, 2.0], [1.0, 2.0, 3.0], [[1.0]], 5.0, [9.0]):
            session.run(change, {x: value})
            assert session.run(double).tolist() == (2 * np.array(value)).tolist()
            assert session.run(shape).tolist() == list(np.shape(value))
    # change: each rank first with no value, or the rank before; double and shape: once a rank
    assert len(made) <= 6 + 3 + 3


def test_no_value() -> None:
    v, grow = grown()
    ready = gc.is_variable_initialized(v)
    with gc.Session() as session:
        assert not session.run(ready)
        for fetch in (v, v + 1.0, grow, gc.assign_add(v, v)):
            with pytest.raises(gc.errors.FailedPreconditionError, match="uninitialized value v: run its initializer"):
                session.run(fetch)
        assert session.run(gc.report_uninitialized_variables()).tolist() == [b"v"]
        assert session.run(v.initialized_value()).tolist() == [] and not session.run(ready)
        assert session.run(gc.assign(v, [1.0])).tolist() == [1.0] and session.run(ready)
        assert session.run(v.initialized_value()).tolist() == [1.0]
    with gc.Session() as other, pytest.raises(gc.errors.FailedPreconditionError):
        other.run(v)


def test_what_does_not_fit() -> None:
    v, x = gc.Variable([1.0, 2.0], validate_shape=False), gc.placeholder(gc.float32, None)
    same, fixed = gc.assign(v, x), gc.Variable([1.0, 2.0])
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        for value in ([1.0, 2.0, 3.0], 1.0):
            with pytest.raises(gc.errors.InvalidArgumentError, match="the variable has shape"):
                session.run(same, {x: value})
        assert session.run(v).tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="make the variable, too, with validate_shape=False"):
        gc.assign(fixed, [1.0], validate_shape=False)
    with pytest.raises(TypeError, match="the variable has dtype float32, but the value int32"):
        gc.assign(v, gc.constant([1]), validate_shape=False)


def test_a_run_that_fails_changes_nothing() -> None:
    v, grow = grown()
    index = gc.placeholder(gc.int32, [])
    with gc.control_dependencies([grow]):
        after = gc.gather(gc.constant([1.0, 2.0]), index)
    with gc.Session() as session:
        session.run(v.initializer)
        with pytest.raises(gc.errors.InvalidArgumentError):
            session.run(after, {index: 5})
        assert session.run(v).tolist() == []
        session.run(after, {index: 1})
        assert session.run(v).tolist() == [7.0]


def test_loops_and_branches() -> None:
    v, _ = grown()
    x = gc.placeholder(gc.float32, None)
    put = gc.assign(v, x, validate_shape=False)
    _, total = gc.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a + gc.reduce_sum(v)), [0, 0.0])

    def grow(i: gc.Tensor) -> gc.Tensor:
        with gc.control_dependencies([gc.assign(v, gc.concat([v.read_value(), [gc.cast(i, gc.float32)]], 0),
                                                validate_shape=False)]):
            return i + 1

    loop = gc.while_loop(lambda i: i < 3, grow, [0])
    some = gc.placeholder(gc.bool, [])
    branch = gc.cond(some, lambda: gc.assign(v, v + 1.0, validate_shape=False), v.read_value)
    with gc.Session() as session:
        session.run(put, {x: [1.0, 2.0]})
        assert session.run(total) == 9.0
        session.run(loop)
        assert session.run(v).tolist() == [1.0, 2.0, 0.0, 1.0, 2.0]
        assert session.run(branch, {some: False}).tolist() == [1.0, 2.0, 0.0, 1.0, 2.0]
        assert session.run(branch, {some: True}).tolist() == [2.0, 3.0, 1.0, 2.0, 3.0]
        assert session.run(v).tolist() == [2.0, 3.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize("value, more", [([1, 2], [[3]]), ([b"a"], [b"b", b"longer"]), ([True], True),
                                         ([1 + 2j], [3j, 4j]), (np.ones(2, np.float16), np.zeros((1, 1), np.float16))])
def test_other_dtypes(value: object, more: object) -> None:
    v = gc.Variable(value, validate_shape=False)
    change = gc.assign(v, gc.constant(more, v.dtype), validate_shape=False)
    with gc.Session() as session:
        session.run(v.initializer)
        assert session.run(v).tolist() == np.array(value).tolist()
        session.run(change)
        assert session.run(v).tolist() == np.array(more).tolist()


def test_a_saver_keeps_the_shape(tmp_path: Path) -> None:
    v, grow = grown()
    fixed = gc.Variable([1.0, 2.0], name="fixed")
    saver = gc.train.Saver()
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        session.run(grow), session.run(grow)
        path = saver.save(session, str(tmp_path / "model"))
        session.run(gc.assign(v, 5.0, validate_shape=False))
        saver.restore(session, path)
        assert session.run(v).tolist() == [7.0, 7.0]
    with gc.Session() as session:
        saver.restore(session, path)
        assert session.run(v).tolist() == [7.0, 7.0] and session.run(fixed).tolist() == [1.0, 2.0]
        assert session.run(grow).tolist() == [7.0] * 3
    with gc.Graph().as_default(), gc.Session() as session:
        gc.train.import_meta_graph(f"{path}.meta").restore(session, path)
        assert gc.global_variables()[0].shape.ndims is None
        assert session.run("v:0").tolist() == [7.0, 7.0]


@pytest.mark.parametrize("make", [lambda: gc.train.AdamOptimizer(0.1), lambda: gc.train.AdagradOptimizer(0.5),
                                  lambda: gc.train.MomentumOptimizer(0.1, 0.5)])
def test_training(make) -> None:
    w = gc.Variable(gc.constant([3.0, -2.0, 5.0]), validate_shape=False)
    loss = gc.reduce_sum(gc.square(w - 1.0))
    step = make().minimize(loss)
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        first = session.run(loss)
        for _ in range(30):
            session.run(step)
        assert session.run(loss) < first / 2 and session.run(w).shape == (3,)


def test_every_way_of_running() -> None:
    v, grow = grown()
    x = gc.placeholder(gc.float32, [])
    scaled = v * x
    with gc.Session() as session:
        session.run(v.initializer)
        step = session.make_callable(grow)
        assert [step().tolist() for _ in range(8)] == [[7.0] * n for n in range(1, 9)]
        told = gc.RunMetadata()
        full = gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE)
        assert session.run(scaled, {x: 2.0}, full, told).tolist() == [14.0] * 8 and len(told.kernels)
        handle = session.partial_run_setup([scaled], [x])
        assert session.partial_run(handle, scaled, {x: 1.0}).tolist() == [7.0] * 8
        v.load([], session)
        assert v.eval(session).tolist() == []


def test_without_a_session(tmp_path: Path) -> None:
    v, grow = grown()
    y = gc.identity(v * 2.0, name="y")
    with pytest.raises(gc.errors.UnimplementedError, match=r"Variable 'v' has the shape <unknown>.*lives in a Session"):
        compile.compile_graph([y])
    with gc.Session() as session:
        session.run(v.initializer), session.run(grow)
        frozen = gc.freeze(session, [y])
    with gc.Graph().as_default(), gc.Session() as session:
        gc.import_graph_def(frozen, name="")
        assert session.run("y:0").tolist() == [14.0]
