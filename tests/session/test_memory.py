"""What is not used any more is given back: sessions, engines, graphs, plans, Python functions, machine code."""
from __future__ import annotations

import gc as collector
import textwrap
import weakref
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc.exec import code_queue, jit
from graphc.exec.machine_memory import group_limits, machine_memory
from graphc.ir import dims
from graphc.ops.control import script

from child import run_child

# Each defines `once()`; its memory must not grow from the third to the last call.
LEAKS = {
    "sessions with variables": """
        def once():
            with gc.Graph().as_default():
                v = gc.Variable(gc.zeros([2_000_000]))
                with gc.Session() as session:
                    session.run(gc.global_variables_initializer())
                    session.run(gc.assign_add(v, gc.ones([2_000_000])))
    """,
    "sessions that nobody closes": """
        def once():
            with gc.Graph().as_default():
                v = gc.Variable(gc.zeros([2_000_000]))
                gc.Session().run(gc.global_variables_initializer())
    """,
    "sessions with Python functions between variables": """
        def once():
            with gc.Graph().as_default():
                v = gc.Variable(gc.zeros([2_000_000]))
                y = gc.py_func(lambda a: a[:3] * 2, [v], gc.float32) + v[:3]
                with gc.Session() as session:
                    session.run(gc.global_variables_initializer())
                    for _ in range(6):
                        session.run(y)
    """,
    "interactive sessions": """
        def once():
            with gc.Graph().as_default():
                session = gc.InteractiveSession()
                v = gc.Variable(gc.zeros([2_000_000]))
                gc.global_variables_initializer().run()
                v.eval()
                session.close()
    """,
    "kinds of runs of one session": """
        graph = gc.Graph()
        with graph.as_default():
            v = gc.Variable(gc.zeros([2_000_000]))
            session = gc.Session()
            session.run(gc.global_variables_initializer())
            fetches = [v * float(i) for i in range(320)]
        def once():
            for fetch in fetches[once.calls % 8 * 40:once.calls % 8 * 40 + 40]:
                session.run(fetch)
            once.calls += 1
        once.calls = 0
    """,
    "failing runs": """
        p, i = gc.constant(np.ones((10, 4), np.float32)), gc.placeholder(gc.int32, [None])
        y, session = gc.gather(p, i), gc.Session()
        def once():
            for _ in range(200):
                try:
                    session.run(y, {i: [77] * 1000})
                    raise SystemExit("no error")
                except gc.errors.InvalidArgumentError:
                    pass
    """,
}


@pytest.mark.parametrize("name", LEAKS)
def test_memory_stays(name: str) -> None:
    calls = 24
    told = run_child(textwrap.dedent(LEAKS[name]) + f"""
import gc as collector
import textwrap
def megabytes():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20
seen = []
for _ in range({calls}):
    once()
    collector.collect()
    seen.append(megabytes())
print(*seen)
""")
    seen = [float(word) for word in told.split()]
    assert max(seen[-4:]) - max(seen[4:12]) < 12, seen           # one leaked variable is 8 MB, 12 calls go by


def test_a_closed_session_is_freed_at_once() -> None:
    with gc.Graph().as_default():
        v = gc.Variable(gc.ones([3]))
        y = gc.py_func(lambda a: a, [v], gc.float32)
        collector.collect()
        collector.disable()
        try:
            session = gc.Session()
            session.run(gc.global_variables_initializer())
            for _ in range(6):
                session.run(y)
            code_queue.settle()
            engines = [weakref.ref(e) for p in session._plans.values() for e in p.engines.values()]
            states = weakref.ref(session._states)
            assert engines and all(e() is not None for e in engines)
            session.close()
            assert all(e() is None for e in engines) and states() is None
        finally:
            collector.enable()


def test_graphs_and_what_they_name_are_freed() -> None:
    def build() -> tuple[weakref.ref[gc.Graph], weakref.ref[object], int]:
        with gc.Graph().as_default() as graph:
            x = gc.placeholder(gc.float32, [None, None])

            def function(a: np.ndarray) -> np.ndarray:
                return a * 2

            y = gc.py_func(function, [gc.reshape(x, [-1]) * 2.0], gc.float32)
            z = gc.Print(y, [y], "") + gc.while_loop(lambda i: i < 3.0, lambda i: i * 2, [gc.reduce_sum(x) + 1])
            with gc.Session() as session:
                for n in range(6):
                    session.run(z, {x: np.ones((2, n))})
            code_queue.settle()
            return weakref.ref(graph), weakref.ref(function), len(dims.Dim._interned)

    build()
    collector.collect()
    sizes, hosts = len(dims.Dim._interned), len(script.HOSTS)
    for _ in range(5):
        graph, function, most = build()
        assert most > sizes                # the graph does have sizes of its own
        collector.collect()
        assert graph() is None and function() is None
        assert len(dims.Dim._interned) <= sizes and len(script.HOSTS) <= hosts


def test_a_python_function_lives_as_long_as_an_op_that_names_it() -> None:
    with gc.Graph().as_default() as first:
        gc.py_func(lambda: np.float32(7), [], gc.float32, name="call")
    saved = first.as_graph_def()
    with gc.Graph().as_default():
        y, = gc.import_graph_def(saved, return_elements=["call:0"], name="")
        del first
        collector.collect()
        with gc.Session() as session:
            assert session.run(y) == 7


def test_graphs_that_differ_in_constants_share_code() -> None:
    x = np.linspace(-3, 3, 1000, dtype=np.float32)

    def results(constant: float) -> tuple[np.ndarray, np.ndarray]:
        with gc.Graph().as_default(), gc.Session() as session:
            p = gc.placeholder(gc.float32, [None])
            y = gc.square(p * constant + 0.25) - p / (constant + 7.0)
            before = session.run(y, {p: x})
            for _ in range(5):
                session.run(y, {p: x})
            code_queue.settle()
            return before, session.run(y, {p: x})

    results(0.5)
    there = len(jit._compiled)
    for constant in (1.5, -2.75, 3e-40, 300.0, 0.0, -0.0, float("inf"), float("nan"), 1e30):
        before, after = results(constant)
        assert before.tobytes() == after.tobytes(), constant
        # The graph's special numbers make other programs: two equal constants are one.
        assert len(jit._compiled) == there or constant in (0.0, 1e30) or not np.isfinite(constant)


def test_code_that_is_not_used_is_unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit, "CODE_BYTES", 2 * 4096)
    loaded = []
    real = jit._load
    monkeypatch.setattr(jit, "_load", lambda *a: loaded.append(weakref.ref((made := real(*a)).code)) or made)
    x = np.linspace(0, 1, 100, dtype=np.float32)
    with gc.Graph().as_default(), gc.Session() as session:
        p = gc.placeholder(gc.float32, [None])
        kept = (p + 3.0) * (p - 4.0) * p
        for _ in range(6):
            first = session.run(kept, {p: x})
        code_queue.settle()
        for depth in range(4):
            with gc.Graph().as_default(), gc.Session() as other:
                q = gc.placeholder(gc.float32, [None])
                y = q
                for _ in range(depth + 7):
                    y = gc.abs(y - q)
                for _ in range(6):
                    other.run(y, {q: x})
                code_queue.settle()
        collector.collect()
        alive = [code() is not None for code in loaded]
        assert len(alive) == 5 and alive[0], alive         # the session that is open uses the first
        assert sum(alive) <= 3, alive
        np.testing.assert_array_equal(session.run(kept, {p: x}), first)


def test_a_full_disk_costs_nothing_but_the_cache(tmp_path: Path) -> None:
    """Writes fail half way, as on a full disk: results are right, one warning says so, nothing is left behind."""
    told = run_child(f"""
        import resource, warnings
        from graphc.exec import code_queue
        from graphc.exec.library import load_library
        load_library()
        os.environ["GRAPHC_CACHE"] = {str(tmp_path)!r}
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
        warned = []
        warnings.showwarning = lambda message, *rest: warned.append(str(message))
        x = gc.placeholder(gc.float32, [None])
        y = gc.square(x + 1.0) * x
        session = gc.Session()
        for _ in range(6):
            before = session.run(y, {{x: [1, 2]}})
        code_queue.settle()
        assert session.run(y, {{x: [1, 2]}}).tolist() == before.tolist() == [4, 18]
        print(len(warned), "cannot be written" in warned[0], os.listdir({str(tmp_path)!r}))
    """)
    assert told.split() == ["1", "True", "[]"]


def test_memory_limits_of_control_groups(tmp_path: Path) -> None:
    two, one = tmp_path / "unified", tmp_path / "memory with space"
    for folder in (two / "a" / "b", one / "x"):
        folder.mkdir(parents=True)
    (two / "a" / "memory.max").write_text("4096000\n")
    (two / "a" / "b" / "memory.max").write_text("max\n")
    (one / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    (one / "x" / "memory.limit_in_bytes").write_text("5000000\n")
    escaped = str(one).replace(" ", "\\040")
    mounts = [f"30 1 0:1 / {two} rw - cgroup2 cgroup2 rw", f"31 1 0:2 / {escaped} rw - cgroup cgroup rw,memory",
              "32 1 0:3 / /proc rw - proc proc rw"]
    assert group_limits(["0::/a/b"], mounts) == [4096000]
    assert group_limits(["7:cpu:/x", "4:memory:/x"], mounts) == [5000000, 9223372036854771712]
    assert group_limits(["0::/elsewhere/of/the/host"], mounts[:1]) == []
    # A container sees its own group as the root of what is mounted.
    inside = [f"30 1 0:1 /docker/17 {two / 'a'} rw - cgroup2 cgroup2 rw"]
    assert group_limits(["0::/docker/17"], inside) == [4096000]
    assert 1 << 20 < machine_memory() < 1 << 50


def test_the_memory_limit_is_the_machine_s_unless_given() -> None:
    from graphc.exec.engine import Engine
    from graphc.kernels.runtime import tables as t
    from graphc.plan.compile import compile_graph

    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [2])
        plan = compile_graph([x * 2.0], feeds=[x]).plan
    assert Engine(plan)._host.words[t.HOST_LIMIT] == machine_memory()
    assert Engine(plan, memory_limit=1 << 22)._host.words[t.HOST_LIMIT] == 1 << 22
