"""Runs that go the quick way (graphc/exec/quick.py) against the same runs on the way of Python's: results, errors,
references, threads, forks. A list as a feed needs a conversion, so it never goes the quick way."""
from __future__ import annotations

import gc as collector
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec import code_queue

ENOUGH = 6                # runs, after which a kind of run has a quick way


def ready(run: Callable[[], Any]) -> Any:
    for _ in range(ENOUGH - 1):
        run()
    return run()


def prepared(session: gc.Session) -> Any:
    """What the session keeps of the kind of run that it was asked for last."""
    return list(session._plans.values())[-1]


def quick_count(session: gc.Session) -> int:
    return int(prepared(session).only.frames.quick.last_number)


def test_a_run_goes_the_quick_way_from_the_fifth_on() -> None:
    x = gc.placeholder(gc.float32, [4])
    session, value = gc.Session(), np.arange(4, dtype=np.float32)
    y = x + 1.0
    for number in range(8):
        np.testing.assert_array_equal(session.run(y, {x: value}), value + 1)
        assert (prepared(session).quick is not None) == (number >= 3)
    assert quick_count(session) == 7
    np.testing.assert_array_equal(session.run(y, {x: [0, 1, 2, 3]}), value + 1)
    assert quick_count(session) == 7


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bool", "int8", "uint8", "int32", "int64", "uint64",
                                   "complex64"])
def test_dtypes(dtype: str) -> None:
    x = gc.placeholder(gc.as_dtype(dtype), [None])
    y = gc.concat([x, x], 0)
    session, value = gc.Session(), np.array([0, 1, 1, 0, 1]).astype(dtype)
    found = ready(lambda: session.run(y, {x: value}))
    assert prepared(session).quick is not None and found.dtype == value.dtype
    np.testing.assert_array_equal(found, np.concatenate([value, value]))
    other = np.array([1, 0], "float32" if dtype != "float32" else "int32")     # converted as ever
    np.testing.assert_array_equal(session.run(y, {x: other}), [1, 0, 1, 0])


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0, 2), (17, 31), (65, 65, 3), (1, 2, 1, 3, 1, 2)])
def test_shapes_and_sizes_that_vary(shape: tuple[int, ...]) -> None:
    x = gc.placeholder(gc.float32, [None] * len(shape))
    fetched = [x * 2.0, gc.reduce_sum(x), gc.shape(x)]
    session = gc.Session()
    for seed in range(3):
        for grown in (shape, tuple(n + 1 for n in shape)):
            value = np.random.default_rng(seed).standard_normal(grown).astype(np.float32)
            doubled, total, sizes = ready(lambda value=value: session.run(fetched, {x: value}))
            np.testing.assert_array_equal(doubled, value * 2)
            np.testing.assert_allclose(total, value.sum(dtype=np.float64), rtol=1e-4, atol=1e-4)
            np.testing.assert_array_equal(sizes, grown)
            assert type(total) is np.float32 and type(doubled) is (np.ndarray if shape else np.float32)
            slow = session.run(fetched, {x: value.tolist() if value.size else value.astype(np.float64)})
            for a, b in zip(slow, (doubled, total, sizes), strict=True):
                np.testing.assert_array_equal(a, b)


def test_more_shapes_than_frames_are_kept() -> None:
    x = gc.placeholder(gc.float32, [None])
    y, session = x + 1.0, gc.Session()
    for n in [*range(80), *range(80)]:
        assert session.run(y, {x: np.full(n, n, np.float32)}).tolist() == [n + 1] * n
    assert len(prepared(session).only._frames) <= 33


def test_values_that_are_not_plain_arrays_are_converted() -> None:
    class Own(np.ndarray):
        pass

    x = gc.placeholder(gc.float32, [2, 3])
    y, session = gc.transpose(x), gc.Session()
    value = np.arange(6, dtype=np.float32).reshape(2, 3)
    ready(lambda: session.run(y, {x: value}))
    unaligned = np.frombuffer(b"\0" + value.tobytes(), np.uint8)[1:].view(np.float32).reshape(2, 3)
    read_only = value.copy()
    read_only.flags.writeable = False
    for other in (np.asfortranarray(value), np.repeat(value, 2, 1)[:, ::2], value.astype(">f4"), value.view(Own),
                  value.tolist(), unaligned, read_only, value.astype(np.int64)):
        np.testing.assert_array_equal(session.run(y, {x: other}), value.T)
    with pytest.raises(ValueError, match=r"Cannot feed value of shape \(3, 2\)"):
        session.run(y, {x: value.T})
    with pytest.raises(TypeError, match="is None"):
        session.run(y, {x: None})


def test_forms_of_fetches() -> None:
    x = gc.placeholder(gc.float32, [2])
    y, z, session, value = x + 1.0, gc.reduce_sum(x), gc.Session(), np.ones(2, np.float32)
    nothing = gc.no_op()
    for fetches, wanted in ((y, [2, 2]), ([y], [[2, 2]]), ((z, y), (2, [2, 2])), ({"a": z}, {"a": 2}), ([y, y, nothing],
                            [[2, 2], [2, 2], None]), ([[], [z]], [[], [2]]), (y.name, [2, 2])):
        found = ready(lambda fetches=fetches: session.run(fetches, {x: value}))
        assert prepared(session).quick is not None
        assert str(found) == str(session.run(fetches, {x: [1., 1.]}))
        assert type(found) is (np.ndarray if fetches in (y, y.name) else type(wanted))


def test_no_feeds_and_variables() -> None:
    counter = gc.Variable(np.zeros(3, np.float32))
    session = gc.Session()
    session.run(counter.initializer)
    step = counter.assign_add([1.0, 2.0, 3.0])
    for number in range(1, 9):
        np.testing.assert_array_equal(session.run(step), np.array([1, 2, 3], np.float32) * number)
    assert prepared(session).quick is not None
    for _ in range(ENOUGH):
        np.testing.assert_array_equal(session.run(counter), [8, 16, 24])


def test_random_numbers_go_on_where_they_were() -> None:
    def numbers(fed: Callable[[int], Any]) -> list[float]:
        with gc.Graph().as_default():
            gc.set_random_seed(5)
            x = gc.placeholder(gc.float32, [])
            y = gc.random_uniform([]) + x
            session = gc.Session()
            return [float(session.run(y, {x: fed(i)})) for i in range(12)]

    zero = np.zeros((), np.float32)
    wanted = numbers(lambda i: 0.0)
    assert numbers(lambda i: zero) == wanted and numbers(lambda i: zero if i % 2 else 0.0) == wanted
    assert len(set(wanted)) == 12


def test_large_results_begin_where_vectors_like_it_and_keep_their_memory() -> None:
    x = gc.placeholder(gc.float32, [None])
    y, session = x + 1.0, gc.Session()
    value = np.ones(1 << 16, np.float32)
    found = [ready(lambda: session.run(y, {x: value})) for _ in range(4)]
    assert all(f.ctypes.data % 64 == 0 and f.flags.writeable and (f == 2).all() for f in found)
    found[0][:] = 7.0
    del found[1]
    collector.collect()
    assert (found[0] == 7).all() and (found[1] == 2).all()


def test_references_are_given_back() -> None:
    x, z = gc.placeholder(gc.float32, [4]), gc.placeholder(gc.float32, [4])
    fetched, session = [x + z, gc.reduce_sum(x), gc.cast(z, gc.int32)], gc.Session()
    a, b = np.ones(4, np.float32), np.ones(4, np.float32)
    feeds = {x: a, z: b}
    ready(lambda: session.run(fetched, feeds))
    held = [a, b, a.dtype, np.dtype(np.int32), np.dtype(np.uint8), feeds, session._runs]
    before = [sys.getrefcount(h) for h in held]
    for _ in range(1000):
        session.run(fetched, feeds)
        session.run(fetched, {x: a, z: [1, 2, 3, 4]})
    after = [sys.getrefcount(h) for h in held]
    assert all(abs(one - other) < 10 for one, other in zip(before, after, strict=True))
    found = session.run(fetched, feeds)
    count, base = sys.getrefcount(found[0]), found[0].base
    assert count == 2 and base is None


def test_errors_are_told_and_the_next_run_is_well() -> None:
    x, at = gc.placeholder(gc.float32, [None]), gc.placeholder(gc.int32, [None])
    y, session = gc.gather(x, at), gc.Session()
    value = np.arange(5, dtype=np.float32)
    good, bad = np.array([1, 4], np.int32), np.array([1, 5], np.int32)
    ready(lambda: session.run(y, {x: value, at: good}))
    with pytest.raises(gc.errors.InvalidArgumentError) as slow:
        session.run(y, {x: value, at: [1, 5]})
    for _ in range(40):
        with pytest.raises(gc.errors.InvalidArgumentError) as quick:
            session.run(y, {x: value, at: bad})
        assert str(quick.value).splitlines()[0] == str(slow.value).splitlines()[0]
        assert session.run(y, {x: value, at: good}).tolist() == [1, 4]
    assert len(prepared(session).only._frames) < 4


def test_errors_of_python_functions() -> None:
    def function(a: np.ndarray) -> np.ndarray:
        if a[0] > 1:
            raise KeyError("too large")
        return a + 1

    x = gc.placeholder(gc.float32, [1])
    y, session = gc.py_func(function, [x], gc.float32), gc.Session()
    assert ready(lambda: session.run(y, {x: np.zeros(1, np.float32)})).tolist() == [1]
    with pytest.raises(gc.errors.OpError, match="too large") as caught:
        session.run(y, {x: np.full(1, 2, np.float32)})
    assert isinstance(caught.value.__cause__, KeyError)
    assert session.run(y, {x: np.zeros(1, np.float32)}).tolist() == [1]


def test_callables() -> None:
    x, z = gc.placeholder(gc.float32, [None]), gc.placeholder(gc.float32, [])
    session = gc.Session()
    call = session.make_callable(x * z, [x, z])
    a, b = np.arange(3, dtype=np.float32), np.array(2, np.float32)
    assert ready(lambda: call(a, b)).tolist() == [0, 2, 4] and prepared(session).quick is not None
    assert call([1, 2], b).tolist() == [2, 4] and call(a, 3.0).tolist() == [0, 3, 6]
    with pytest.raises(TypeError, match="takes 2 values"):
        call(a)
    session.close()
    with pytest.raises(RuntimeError, match="closed Session"):
        call(a, b)


def test_options_and_metadata_go_the_other_way() -> None:
    x = gc.placeholder(gc.float32, [2])
    y, session, value = x + 1.0, gc.Session(), np.ones(2, np.float32)
    ready(lambda: session.run(y, {x: value}))
    metadata = gc.RunMetadata()
    options = gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE)
    session.run(y, {x: value}, options=options, run_metadata=metadata)
    assert metadata.kernels
    before = quick_count(session)
    for _ in range(100):                     # on the frame of the traced run, whose trace is gone
        np.testing.assert_array_equal(session.run(y, {x: value}), [2, 2])
    assert quick_count(session) == before + 101
    limited = gc.Session(config=gc.ConfigProto(operation_timeout_in_ms=10_000))
    assert ready(lambda: limited.run(y, {x: value})).tolist() == [2, 2] and prepared(limited).quick is None


def test_machine_code_arrives_between_quick_runs() -> None:
    x = gc.placeholder(gc.float32, [None])
    y = x
    for _ in range(20):
        y = (y * 1.01 + 0.1) * 0.5
    session, value = gc.Session(), np.linspace(-1, 1, 4096, dtype=np.float32)
    wanted = session.run(y, {x: value})
    for _ in range(ENOUGH):
        session.run(y, {x: value})
    code_queue.settle()
    engine, before = prepared(session).only, quick_count(session)
    assert engine._code
    np.testing.assert_array_equal(session.run(y, {x: value}), wanted)
    np.testing.assert_array_equal(session.run(y, {x: value}), wanted)
    assert quick_count(session) > before and len(engine._frames) < 4


def test_threads_share_a_session() -> None:
    x = gc.placeholder(gc.float32, [None])
    total = gc.Variable(0.0)
    y, step, session = gc.cumsum(x) * 2.0, total.assign_add(1.0), gc.Session()
    session.run(total.initializer)
    wrong: list[Any] = []

    def work(seed: int) -> None:
        for i in range(300):
            value = np.full(1 + (i + seed) % 40, seed, np.float32)
            found = session.run(y, {x: value})
            if found.tolist() != [2.0 * seed * (k + 1) for k in range(len(value))]:
                wrong.append((seed, i))
            session.run(step)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and session.run(total) == 1800.0


def test_a_python_function_may_run_the_same_session() -> None:
    x = gc.placeholder(gc.float32, [2])
    session = gc.Session()
    inner = x * 3.0
    ready(lambda: session.run(inner, {x: np.ones(2, np.float32)}))
    outer = gc.py_func(lambda a: session.run(inner, {x: a}), [x], gc.float32)
    assert ready(lambda: session.run(outer, {x: np.ones(2, np.float32)})).tolist() == [3, 3]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_of_a_fork_goes_on() -> None:
    x = gc.placeholder(gc.float32, [2])
    slow = gc.py_func(lambda a: (gate.wait(5), a)[1], [x], gc.float32)
    gate, session, value = threading.Event(), gc.Session(), np.ones(2, np.float32)
    gate.set()
    ready(lambda: session.run(slow, {x: value}))
    gate.clear()
    other = threading.Thread(target=session.run, args=(slow, {x: value}))     # in the middle of a quick run
    other.start()
    child = os.fork()
    if not child:
        gate.set()
        os._exit(0 if all(session.run(slow, {x: value}).tolist() == [1, 1] for _ in range(3)) else 1)
    _, status = os.waitpid(child, 0)
    gate.set()
    other.join()
    assert status == 0 and session.run(slow, {x: value}).tolist() == [1, 1]


@pytest.mark.filterwarnings("ignore:the graph grows")
def test_closed_sessions_and_forgotten_plans() -> None:
    x = gc.placeholder(gc.float32, [2])
    y, session, value = x + 1.0, gc.Session(), np.ones(2, np.float32)
    ready(lambda: session.run(y, {x: value}))
    for i in range(260):                     # plans that nobody uses go, this one is used
        session.run(gc.constant(float(i)))
        session.run(y, {x: value})
    assert any(kept.quick is not None and kept.tensors == [y] for kept in session._plans.values())
    session.close()
    with pytest.raises(RuntimeError, match="closed Session"):
        session.run(y, {x: value})


def test_a_frame_whose_run_ends_while_they_are_cleared_is_given_once() -> None:
    """Code of fused programs comes in beside runs: whoever is told twice that a frame is free closes it twice, and by
    then its memory may be another frame's."""
    x = gc.placeholder(gc.float32, [4])
    session, y = gc.Session(), x + 1.0
    ready(lambda: session.run(y, {x: np.zeros(4, np.float32)}))
    code_queue.settle()
    quick = prepared(session).only.frames.quick

    class Frame:
        """In use when it is asked the first time, and not any more after that."""

        asked = 0

        @property
        def busy(self) -> bool:
            self.asked += 1
            return self.asked == 1

    frame, kept = Frame(), quick.frames
    quick.frames = [frame]
    given = [*quick.clear(), *quick.left(), *quick.left()]
    assert [one is frame for one in given] == [True]
    for one in kept:
        quick.add(one)
