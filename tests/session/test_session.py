"""Session.run: fetches, feeds, variables, effects, threads, life."""
from __future__ import annotations

import collections
import threading
import warnings
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import graphc as gc


@pytest.fixture(autouse=True)
def fresh_graph():
    with gc.Graph().as_default():
        yield


# Fetches

def test_nested_fetches_keep_their_form() -> None:
    x = gc.placeholder(gc.float32, [None], name="x")
    double, total = x * 2.0, gc.reduce_sum(x)
    pair = namedtuple("pair", "first second")
    with gc.Session() as session:
        structure = {"a": [double, total], "b": (x, pair(total, "x:0")), "c": OrderedDict(z=total, y=gc.no_op())}
        found = session.run(structure, {x: [1, 2]})
    assert list(found) == ["a", "b", "c"] and isinstance(found["a"], list) and isinstance(found["b"], tuple)
    np.testing.assert_array_equal(found["a"][0], [2, 4])
    assert isinstance(found["b"][1], pair) and found["b"][1].first == 3
    np.testing.assert_array_equal(found["b"][1].second, [1, 2])
    assert isinstance(found["c"], OrderedDict) and found["c"]["y"] is None and found["c"]["z"] == 3


def test_scalars_are_numpy_scalars() -> None:
    with gc.Session() as session:
        value = session.run(gc.constant(1.5) * 2.0)
    assert isinstance(value, np.float32) and f"{value:.3f}" == "3.000"


def test_empty_fetches() -> None:
    gc.constant(1)
    assert gc.Session().run([]) == [] and gc.Session().run({}) == {}


def test_fetched_arrays_are_owned() -> None:
    v = gc.Variable([1.0, 2.0])
    c = gc.constant([3.0, 4.0])
    with gc.Session() as session:
        session.run(v.initializer)
        for tensor in (v, v.value(), c):
            first = session.run(tensor)
            first[:] = -1
            assert session.run(tensor)[0] > 0


def test_every_op_runs_at_most_once() -> None:
    calls = []
    y = gc.py_func(lambda: calls.append(1) or np.float32(len(calls)), [], gc.float32)
    y.set_shape([])
    with gc.Session() as session:
        assert session.run([y, y + 1.0, y * 2.0, y.op]) == [1, 2, 2, None]
    assert len(calls) == 1


# Feeds

def test_feeds_convert() -> None:
    f, i, b = (gc.placeholder(d) for d in (gc.float32, gc.int32, gc.bool))
    with gc.Session() as session:
        assert session.run(f, {f: np.float64(0.1)}) == np.float32(0.1)
        assert session.run(i, {i: 3.5}) == 3
        np.testing.assert_array_equal(session.run(f, {f: [[1, 2], [3, 4]]}), [[1, 2], [3, 4]])
        np.testing.assert_array_equal(session.run(b, {b: [1, 0]}), [True, False])
        assert session.run(f, {f: np.arange(6).reshape(2, 3).T}).shape == (3, 2)


def test_anything_can_be_fed() -> None:
    c = gc.constant(2.0, name="c")
    v = gc.Variable(5.0, name="v")
    y = c * 3.0 + v
    with gc.Session() as session:
        assert session.run(y, {c: 10.0, v: 1.0}) == 31
        assert session.run(y, {"c:0": 10.0, "v/read:0": 2.0}) == 32
        assert session.run([v, c], {v: 7.0, c: 8.0}) == [7, 8]


def test_fed_arrays_are_not_written() -> None:
    x = gc.placeholder(gc.float32, [3])
    v = gc.Variable(np.zeros(3, np.float32))
    given = np.ones(3, np.float32)
    with gc.Session() as session:
        session.run(v.initializer)
        session.run(v.assign(x), {x: given})
        session.run(v.assign_add(x), {x: given})
        np.testing.assert_array_equal(session.run(v), [2, 2, 2])
    np.testing.assert_array_equal(given, [1, 1, 1])


def test_rank_may_differ_from_run_to_run() -> None:
    x = gc.placeholder(gc.float32)
    y = gc.reduce_sum(x * 2.0)
    with gc.Session() as session:
        assert session.run(y, {x: 1.0}) == 2 and session.run(y, {x: [1.0, 2.0]}) == 6
        assert session.run(y, {x: [[1.0]]}) == 2


def test_new_sizes_make_no_new_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    import graphc.plan.compile as compile

    made = []
    original = compile.compile_graph
    monkeypatch.setattr(compile, "compile_graph", lambda *a, **k: made.append(1) or original(*a, **k))
    x = gc.placeholder(gc.float32, [None, 2])
    y = gc.matmul(x, gc.ones([2, 3]))
    with gc.Session() as session:
        for n in (1, 5, 3, 5):
            assert session.run(y, {x: np.ones((n, 2))}).shape == (n, 3)
    assert len(made) == 1


# Variables

def test_variables_belong_to_their_session() -> None:
    v = gc.Variable(1.0)
    one, other = gc.Session(), gc.Session()
    for session in (one, other):
        session.run(gc.global_variables_initializer())
    one.run(v.assign(5.0))
    assert one.run(v) == 5 and other.run(v) == 1


def test_order_of_reads_and_writes() -> None:
    v = gc.Variable(1.0, name="v")
    add = gc.assign_add(v, 10.0)
    before = v * 1.0
    with gc.control_dependencies([add]):
        after = v.value() * 1.0
    with gc.Session() as session:
        session.run(v.initializer)
        assert session.run([add.op, before, after, v]) == [None, 1, 11, 11]
        assert session.run([v, before]) == [11, 11]


def test_initial_values_may_use_other_variables_and_share_random_numbers() -> None:
    a = gc.Variable(gc.random_normal([4]), name="a")
    b = gc.Variable(a * 3.0, name="b")
    c = gc.Variable(a.initialized_value() + 1.0, name="c")
    with gc.Session() as session:
        session.run(gc.global_variables_initializer())
        a_value, b_value, c_value = session.run([a, b, c])
        np.testing.assert_allclose(b_value, a_value * 3, rtol=1e-6)
        np.testing.assert_allclose(c_value, a_value + 1, rtol=1e-6)
    with gc.Session() as session:
        session.run(a.initializer)
        a_value = session.run(a)
        session.run(b.initializer)
        np.testing.assert_allclose(session.run(b), a_value * 3, rtol=1e-6)


def test_is_initialized_and_load() -> None:
    v = gc.Variable([1.0, 2.0])
    with gc.Session() as session:
        ready = gc.is_variable_initialized(v)
        assert not session.run(ready)
        v.load([5.0, 6.0], session)
        assert session.run(ready)
        np.testing.assert_array_equal(v.eval(), [5, 6])


def test_assign_in_branches_and_loops() -> None:
    v = gc.Variable(1.0, name="v")
    p = gc.placeholder(gc.bool, [])
    y = gc.cond(p, lambda: v.assign_add(10.0), lambda: v.read_value())

    def body(i: gc.Tensor) -> gc.Tensor:
        with gc.control_dependencies([v.assign_add(1.0)]):
            return i + 1

    loop = gc.while_loop(lambda i: i < 5, body, [gc.constant(0)])
    with gc.Session() as session:
        session.run(v.initializer)
        assert session.run(y, {p: False}) == 1 and session.run(v) == 1
        assert session.run(y, {p: True}) == 11 and session.run(v) == 11
        assert session.run(loop) == 5 and session.run(v) == 16


def test_training() -> None:
    rng = np.random.default_rng(0)
    data = rng.standard_normal((64, 3)).astype(np.float32)
    target = data @ np.array([[1.0], [-2.0], [3.0]], np.float32) + 0.5
    for make in (lambda: gc.train.GradientDescentOptimizer(0.1), lambda: gc.train.AdamOptimizer(0.1),
                 lambda: gc.train.MomentumOptimizer(0.05, 0.9),
                 lambda: gc.train.MomentumOptimizer(0.05, 0.9, use_nesterov=True)):
        with gc.Graph().as_default(), gc.Session() as session:
            x, y = gc.placeholder(gc.float32, [None, 3]), gc.placeholder(gc.float32, [None, 1])
            w, b = gc.get_variable("w", [3, 1]), gc.get_variable("b", [1], initializer=gc.zeros_initializer())
            loss = gc.reduce_mean(gc.square(gc.matmul(x, w) + b - y))
            step = gc.train.get_or_create_global_step()
            train = make().minimize(loss, global_step=step)
            session.run(gc.global_variables_initializer())
            first = session.run(loss, {x: data, y: target})
            for _ in range(200):
                session.run(train, {x: data, y: target})
            assert session.run(loss, {x: data, y: target}) < 1e-3 * first
            assert session.run(step) == 200


# Python functions

def test_python_function_of_unknown_rank_runs_once() -> None:
    calls = []

    def rows(x: np.ndarray) -> np.ndarray:
        calls.append(1)
        return np.outer(x, x).astype(np.float32)

    x = gc.placeholder(gc.float32, [None])
    v = gc.Variable(0.0)
    with gc.control_dependencies([v.assign_add(1.0)]):
        y = gc.py_func(rows, [x], gc.float32)
    with gc.Session() as session:
        session.run(v.initializer)
        for n in (2, 3):
            assert session.run(y * 2.0, {x: np.ones(n)}).shape == (n, n)
        assert len(calls) == 2 and session.run(v) == 2


def test_python_functions_with_several_results_or_none() -> None:
    seen = []
    a, b = gc.py_func(lambda x: (x + 1, np.int64(7)), [gc.constant([1.0, 2.0])], [gc.float32, gc.int64])
    nothing = gc.py_func(seen.append, [gc.constant(5)], [])
    with gc.Session() as session:
        a_value, b_value, none = session.run([a, b, nothing])
    np.testing.assert_array_equal(a_value, [2, 3])
    assert b_value == 7 and none is None and seen == [5]


def test_print_and_assert(capfd: pytest.CaptureFixture[str]) -> None:
    x = gc.placeholder(gc.float32, [None])
    y = gc.Print(x, [x], "x is ")
    check = gc.Assert(gc.reduce_all(x > 0.0), [x])
    with gc.Session() as session:
        session.run([y, check], {x: [1, 2, 3, 4]})
        assert "x is [1 2 3...]" in capfd.readouterr().err
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"assertion failed: \[-1\]"):
            session.run(check, {x: [-1]})


# Life, threads, options

def test_default_session_and_eval() -> None:
    x = gc.placeholder(gc.float32, [])
    v = gc.Variable(3.0)
    with gc.Session() as session:
        assert gc.get_default_session() is session
        v.initializer.run()
        assert (x * 2.0).eval({x: 4.0}) == 8 and v.eval() == 3
    assert gc.get_default_session() is None
    with pytest.raises(RuntimeError, match="Attempted to use a closed Session"):
        session.run(v)


def test_interactive_session() -> None:
    session = gc.InteractiveSession()
    assert gc.constant(2).eval() == 2
    session.close()
    assert gc.get_default_session() is None


def test_interactive_sessions_side_by_side() -> None:
    graph = gc.Graph()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = gc.InteractiveSession()
    with pytest.warns(UserWarning, match="An interactive session is already active"):
        second = gc.InteractiveSession(graph=graph)
    assert gc.get_default_graph() is graph and gc.constant(3).eval(session=second) == 3
    first.close()
    first.close()
    assert gc.get_default_session() is second
    second.close()
    assert gc.get_default_session() is None and gc.get_default_graph() is not graph
    with warnings.catch_warnings(), gc.InteractiveSession() as third:
        warnings.simplefilter("error")
        assert third.run(gc.constant(4)) == 4


def test_devices() -> None:
    (device,) = gc.Session().list_devices()
    assert (device.name, device.device_type, device.memory_limit_bytes) == (
        "/job:localhost/replica:0/task:0/device:CPU:0", "CPU", 268435456)


def test_make_callable() -> None:
    x, y = gc.placeholder(gc.float32, [None]), gc.placeholder(gc.float32, [])
    with gc.Session() as session:
        add = session.make_callable({"sum": x + y}, [x, y])
        np.testing.assert_array_equal(add([1, 2], 3)["sum"], [4, 5])
        with pytest.raises(TypeError, match="takes 2 values"):
            add(1)
        with pytest.raises(TypeError):
            add([1], 2, options=gc.RunOptions())
        with_options = session.make_callable(x + y, (x, y), accept_options=True)
        metadata = gc.RunMetadata()
        assert with_options([1], 2, options=gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE),
                            run_metadata=metadata) == [3] and metadata.step_stats.dev_stats
        assert session.make_callable(gc.no_op())() is None


def test_threads_run_at_once() -> None:
    v = gc.Variable(0.0)
    add = gc.assign_add(v, 1.0)
    x = gc.placeholder(gc.float32, [None])
    y = gc.reduce_sum(x * x)
    wrong = []
    with gc.Session() as session:
        session.run(v.initializer)

        def work(n: int) -> None:
            for _ in range(50):
                session.run(add.op)
                if session.run(y, {x: np.full(n, 2.0)}) != 4 * n:
                    wrong.append(n)

        threads = [threading.Thread(target=work, args=(n,)) for n in (1, 10, 100, 1000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong and session.run(v) == 200


def test_random_streams() -> None:
    seeded, free = gc.random_uniform([3], seed=7), gc.random_uniform([3])
    with gc.Session() as session:
        first, second = session.run(seeded), session.run(seeded)
        a, b = session.run([free, free * 1.0])
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first, second)
    with gc.Session() as session:
        np.testing.assert_array_equal(session.run(seeded), first)


def test_config() -> None:
    config = gc.ConfigProto(intra_op_parallelism_threads=2, allow_soft_placement=True, log_device_placement=False)
    config.gpu_options.allow_growth = True
    assert gc.Session(config=config).run(gc.constant(1)) == 1
    with pytest.raises(AttributeError):
        config.gpu_options.alow_growth = True
    with pytest.raises(ValueError, match='no "threads" field'):
        gc.ConfigProto(threads=1)


def test_trace_lists_kernels(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    x = gc.placeholder(gc.float32, [None, 2])
    y = gc.matmul(x, gc.ones([2, 3]), name="product")
    metadata = gc.RunMetadata()
    gc.Session().run(y, {x: np.ones((1, 2))}, gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE), metadata)
    assert any("matmul.f32" in line and "product" in line for line in metadata.kernels)
    monkeypatch.setenv("GRAPHC_TRACE", "1")
    gc.Session().run(y, {x: np.ones((1, 2))})
    assert "matmul.f32" in capfd.readouterr().err


def test_timeout() -> None:
    i = gc.while_loop(lambda i: i >= 0.0, lambda i: i + 1.0, [0.0])
    with pytest.raises(gc.errors.DeadlineExceededError, match="longer than 100 ms"):
        gc.Session().run(i, options=gc.RunOptions(timeout_in_ms=100))


def test_feed_keys_may_be_structures() -> None:
    State = collections.namedtuple("State", "c h")
    state = State(gc.placeholder(gc.float32, [2]), gc.placeholder(gc.float32, [3]))
    x = gc.placeholder(gc.float32, [])
    y = gc.reduce_sum(state.c) * 10.0 + gc.reduce_sum(state.h) + x
    session = gc.Session()
    for _ in range(6):
        assert session.run(y, {state: State([1, 2], np.ones(3)), x: 0.5}) == 33.5
        assert session.run(y, {(state, x): (([1, 2], np.ones(3)), 0.5)}) == 33.5
    with pytest.raises(ValueError, match=r"holds 2 tensors, but its value 3 parts"):
        session.run(y, {state: ([1, 2], [1, 2, 3], 4), x: 0.5})
    with pytest.raises(ValueError, match="holds 2 tensors, but its value no parts"):
        session.run(y, {state: 1.0, x: 0.5})
    with pytest.raises(ValueError, match=r"gives .* twice"):
        session.run(y, {state: ([1, 2], [1, 2, 3]), (x, state.c): (1.0, [1, 2])})


def test_placement_is_told_once_a_kind_of_run(capfd: pytest.CaptureFixture[str]) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None], name="x")
        y = gc.add(gc.multiply(x, x, name="m"), gc.constant(1.0, name="c"), name="s")
        gc.negative(x, name="elsewhere")
        with gc.Session(config=gc.ConfigProto(log_device_placement=True)) as session:
            for n in range(1, 9):
                session.run(y, {x: np.ones(n)})
            told = capfd.readouterr().err.splitlines()
            device = "/job:localhost/replica:0/task:0/device:CPU:0"
            assert told == [f"m: (Mul): {device}", f"c: (Const): {device}", f"s: (Add): {device}"]
            session.run(y.op.inputs[0], {x: np.ones(2)})
            assert capfd.readouterr().err.splitlines() == [f"m: (Mul): {device}"]
            session.run(y, {x: np.ones(2)})
            assert not capfd.readouterr().err
