"""Session.warmup compiles all that runs need and runs nothing; nothing is compiled in a thread that runs."""
from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec import code_queue, jit
from graphc.exec.library import load_library
from graphc.kernels.toolchain import backend
from graphc.session.prepared_run import RUNS_BEFORE_CODE

from child import run_child

ROWS = np.random.default_rng(0).standard_normal((6, 5)).astype(np.float32)


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No fused program has been compiled before, on this machine or in this process."""
    load_library()
    monkeypatch.setenv("GRAPHC_CACHE", str(tmp_path))
    monkeypatch.setattr(jit, "_compiled", type(jit._compiled)())


def told(session: gc.Session, fetches: Any, feeds: Any) -> list[str]:
    """What a run called."""
    metadata = gc.RunMetadata()
    session.run(fetches, feeds, options=gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE), run_metadata=metadata)
    return list(metadata.kernels)


def test_the_first_run_has_its_code(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[int] = []
    real = jit.install
    monkeypatch.setattr(jit, "install", lambda engine: installed.append(real(engine)))
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 5])
        y = gc.tanh(x * 0.5 + 1.0) * x - gc.square(x)
        session.warmup(y, {x: np.zeros((6, 5))})
        assert installed == [1]
        assert any("compiled" in line for line in told(session, y, {x: ROWS}))
        for _ in range(RUNS_BEFORE_CODE + 2):
            some = ROWS[:3]
            wanted = np.tanh(some * 0.5 + 1) * some - some ** 2
            np.testing.assert_allclose(session.run(y, {x: some}), wanted, 1e-5, 1e-6)
        code_queue.settle()
        assert installed == [1]


def test_python_s_lock_is_handed_over_as_before_when_all_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    usual, seen = sys.getswitchinterval(), []
    monkeypatch.setattr(jit, "install", lambda engine: seen.append(sys.getswitchinterval()) or 0)
    with gc.Graph().as_default(), gc.Session() as session:
        session.warmup(gc.placeholder_with_default([1.0], [1]) * 2.0 + 1.0)
        code_queue.settle()
        assert seen == [pytest.approx(code_queue.HANDED_OVER)] and sys.getswitchinterval() == usual
        monkeypatch.setattr(jit, "install", lambda engine: sys.setswitchinterval(0.003) or 0)
        try:                                       # the program's own choice stays
            session.warmup(gc.placeholder_with_default([1.0], [1]) * 3.0 + 1.0)
            code_queue.settle()
            assert sys.getswitchinterval() == pytest.approx(0.003)
        finally:
            sys.setswitchinterval(usual)


RUNS = """
    from graphc.exec import code_queue
    x = gc.placeholder(gc.float32, [None])
    y = gc.square(x * 1.5) - x / 3.0
    session = gc.Session()
    session.run(y, {x: [2]})
    first, started = set(sys.modules), []
    real = threading.Thread.start
    threading.Thread.start = lambda thread: (started.append(thread), real(thread))
    assert code_queue._thread.is_alive()
    for _ in range(8):
        session.run(y, {x: [2]})
    code_queue.settle()
    from graphc.exec import jit
    assert len(jit._compiled) == 1
    print(sorted(name for name in set(sys.modules) - first if name.startswith("graphc")), started)
"""


def test_no_run_but_the_first_starts_a_thread_or_has_modules_imported_beside_it() -> None:
    """If all programs are on the disk; else what brings LLVM is imported. Python compiles a module that has no bytecode
    in one call, which holds its lock for milliseconds."""
    run_child(RUNS)
    assert run_child(RUNS) == "[] []\n"


def test_the_thread_ends_and_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_queue, "LINGERS", 0.01)
    code_queue.get_ready()
    for _ in range(3):
        thread = code_queue._thread
        while thread is not None and thread.is_alive():          # it may have begun to linger for longer
            thread.join(0.1)
        assert code_queue._thread is None
        with gc.Graph().as_default(), gc.Session() as session:
            session.warmup(gc.placeholder_with_default([1.0], [1]) * 2.0 + 1.0)


def test_nothing_is_run() -> None:
    called = []
    with gc.Graph().as_default(), gc.Session() as session:
        v = gc.Variable([1.0, 2.0])
        add = gc.assign_add(v, [1.0, 1.0])
        queue = gc.FIFOQueue(3, [gc.float32])
        fetches = [add, v * 2.0, queue.enqueue(1.0), gc.random_uniform([2], seed=3),
                   gc.py_func(lambda: called.append(1) or np.float32(1), [], gc.float32, stateful=True)]
        session.warmup(fetches)                       # not even initialised
        session.run(gc.global_variables_initializer())
        session.warmup(fetches)
        assert session.run(v).tolist() == [1, 2] and session.run(queue.size()) == 0 and not called
        drawn = session.run(fetches[3])
    with gc.Graph().as_default(), gc.Session() as other:
        v = gc.Variable([1.0, 2.0])
        gc.assign_add(v, [1.0, 1.0])
        queue = gc.FIFOQueue(3, [gc.float32])
        random = gc.random_uniform([2], seed=3)
        other.run(gc.global_variables_initializer())
        other.run(v), other.run(queue.size())
        assert other.run(random).tolist() == drawn.tolist()       # its runs are counted as without


@pytest.mark.parametrize("fetches, feeds, error, said", [
    ("y", None, ValueError, "y"), (None, None, TypeError, "None"), ("x:0", [1], TypeError, "feed_dict"),
    ("x:0", {"nothing:0": 1}, TypeError, "nothing"), ("x:0", {"x:0": [[1.0]]}, ValueError, "shape")])
def test_refuses_what_run_refuses(fetches: Any, feeds: Any, error: type[Exception], said: str) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        gc.placeholder(gc.float32, [None], name="x")
        for call in (session.run, session.warmup):
            with pytest.raises(error, match=said):
                call(fetches, feeds)
    with pytest.raises(RuntimeError, match="closed"):
        session.warmup("x:0")


def test_sizes_that_do_not_fit_are_told() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x, w = gc.placeholder(gc.float32, [None, None]), gc.placeholder(gc.float32, [None, None])
        y = gc.matmul(x, w)
        with pytest.raises(gc.errors.InvalidArgumentError, match="MatMul"):
            session.warmup(y, {x: np.ones((2, 3)), w: np.ones((4, 5))})
        session.warmup(y, {x: np.ones((2, 3)), w: np.ones((3, 5))})
        assert session.run(y, {x: np.ones((7, 3)), w: np.ones((3, 2))}).tolist() == [[3.0, 3.0]] * 7


def test_strings_nested_feeds_and_variables_without_a_shape() -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        pair = (gc.placeholder(gc.string, [None]), gc.placeholder(gc.float32))
        v = gc.Variable(gc.placeholder_with_default([1.0, 2.0], None), validate_shape=False)
        fetches = [gc.strings.length(pair[0]), v + pair[1]]
        session.run(v.initializer)
        session.warmup(fetches, {pair: (["a", "bcd"], 1.0)})
        lengths, total = session.run(fetches, {pair: (["a", "bcd"], 1.0)})
        assert lengths.tolist() == [1, 3] and total.tolist() == [2, 3]


def steps() -> list[Any]:
    """Runs of several kinds, in Sessions of their own."""
    made = []
    for depth in (3, 4, 5):
        with gc.Graph().as_default() as graph:
            x = h = gc.placeholder(gc.float32, [None, 5])
            for k in range(depth):
                w = gc.Variable(np.eye(5, dtype=np.float32))
                h = gc.square(gc.matmul(h, w) + gc.Variable(np.zeros(5, np.float32))) * (0.5 + k) - h / (k + 2.0)
            state = gc.while_loop(lambda i, a: i < 3, lambda i, a, h=h: (i + 1, gc.abs(a * 0.5 - h) + a), [0, h])[1]
            loss = gc.reduce_mean(gc.square(state))
            step = gc.train.AdamOptimizer(0.01).minimize(loss)
            session = gc.Session(graph=graph)
            session.run(gc.global_variables_initializer())
        made.append(lambda session=session, step=step, loss=loss, x=x: session.run([step, loss], {x: ROWS}))
    return made


def test_one_thread_compiles_for_all_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work: list[int] = []
    most = []

    def install(engine: Any) -> int:
        at_work.append(threading.get_ident())
        most.append(len(at_work))
        time.sleep(0.005)
        at_work.pop()
        return 0

    monkeypatch.setattr(jit, "install", install)
    for _ in range(RUNS_BEFORE_CODE):
        for run in steps():
            for _ in range(RUNS_BEFORE_CODE):
                run()
    code_queue.settle()
    assert len(most) >= 3 * RUNS_BEFORE_CODE and set(most) == {1}


def test_nothing_is_compiled_in_a_thread_that_runs(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by LLVM nor out of the disk cache."""
    threads: dict[str, set[int]] = {}

    def note(where: Any, name: str) -> None:
        real = getattr(where, name)
        seen = threads.setdefault(name, set())
        monkeypatch.setattr(where, name, lambda *a, **k: (seen.add(threading.get_ident()), real(*a, **k))[1])

    for where, name in ((backend, "compile_text"), (jit, "compile_form"), (jit, "pass_text"), (jit, "_load")):
        note(where, name)
    runs = steps()
    for _ in range(20):
        for run in runs:                   # alternating
            run()
    code_queue.settle()
    assert all(seen and threading.get_ident() not in seen for seen in threads.values()), threads
    jit._compiled.clear()                  # a second process: from the disk
    threads["compile_text"].clear()
    for run in steps():
        for _ in range(RUNS_BEFORE_CODE + 1):
            run()
    code_queue.settle()
    assert not threads["compile_text"] and threading.get_ident() not in threads["_load"]
