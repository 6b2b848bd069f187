"""The trace: what a run called, as the runtime noted it."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc import errors
from graphc.exec import jit
from graphc.exec.engine import Engine
from graphc.session.reports.trace import Trace

from five import CASES, Case


def engine_of(name: str) -> tuple[Case, Engine]:
    case = CASES[name]()
    return case, Engine(case.plan, case.constants, dict(case.states), case.hosts, threads=1)


def traced(engine: Engine, inputs: list[np.ndarray], capacity: int = 1 << 16) -> list[str]:
    trace = Trace(capacity)
    engine.run([np.array(x, order="C") for x in inputs], trace=trace.address)
    return trace.lines(engine.plan, engine.names)


def session_lines(fetch: object, feeds: dict[object, object]) -> list[str]:
    metadata = gc.RunMetadata()
    with gc.Session() as session:
        session.run(fetch, feeds, gc.RunOptions(trace_level=gc.RunOptions.FULL_TRACE), metadata)
    return metadata.kernels


def body_steps(engine: Engine, body: int, lines: list[str]) -> int:
    """How many times a body that has no steps of control ran, from its steps' events."""
    found = sum(line.startswith(f"[{body}:") for line in lines)
    steps = len(engine.plan.bodies[body].steps)
    assert found % steps == 0
    return found // steps


@pytest.mark.parametrize("k", [0, 1, 5])
def test_iterations_are_counted(k: int) -> None:
    _, engine = engine_of("growing_loop")
    inputs = [np.ones(2, np.float32), np.float32(0.5), np.int32(k)]
    for _ in range(2):                             # bound, then from the frames of before
        lines = traced(engine, inputs)
        loops = [s for s in engine.plan.bodies[0].steps if type(s).__name__ == "While"]
        assert len(loops) == 2                     # forwards, and its gradient
        assert sum("while: test body" in line for line in lines) == 2
        for loop in loops:
            assert body_steps(engine, loop.cond, lines) % (k + 1) == 0
            assert body_steps(engine, loop.body, lines) == k
        assert [line.split("] ")[1].split("  <-")[0] for line in lines if "while: iteration" in line] == [
            f"while: iteration {i}" for i in range(k)] * 2
        assert sum(f"while: ended after {k} iterations" in line for line in lines) == 2


def test_events_stand_in_the_order_of_the_run() -> None:
    _, engine = engine_of("growing_loop")
    lines = traced(engine, [np.ones(2, np.float32), np.float32(0.5), np.int32(2)])
    loop = next(s for s in engine.plan.bodies[0].steps if type(s).__name__ == "While")
    test, body = f"[{loop.cond}:", f"[{loop.body}:"
    begin = next(i for i, line in enumerate(lines) if "while: test body" in line)
    end = next(i for i, line in enumerate(lines) if "while: ended" in line)
    kinds = "".join("t" if line.startswith(test) else "b" if line.startswith(body) else "i" for line in
                    lines[begin + 1:end])
    tests, steps = (len(engine.plan.bodies[b].steps) for b in (loop.cond, loop.body))
    assert kinds == ("t" * tests + "i" + "b" * steps) * 2 + "t" * tests


def test_branch_taken() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [2, 2])
        y = gc.cond(gc.reduce_sum(x) > 0.0, lambda: gc.matmul(x, x), lambda: gc.nn.softmax(x))
        then, other = (session_lines(y, {x: np.full((2, 2), v, np.float32)}) for v in (1, -1))
    assert any("matmul.f32(1, 2, 2, 2" in line for line in then) and not any("softmax" in line for line in then)
    assert any("softmax.f32(2, 2)" in line for line in other) and not any("matmul" in line for line in other)
    taken = [next(line for line in lines if "if: takes body" in line) for lines in (then, other)]
    assert taken[0] != taken[1]


def test_prepare_and_packing_are_shown_when_they_happen() -> None:
    case, engine = engine_of("conv_norm_dense")
    x = case.feeds(np.random.default_rng(0))[2]
    first, second = traced(engine, x), traced(engine, x)
    prepare = engine.plan.bodies[engine.plan.prepare]
    assert [line.split("]")[0] for line in first[:len(prepare.steps)]] == ["[1:prepare"] * len(prepare.steps)
    packs = [line for line in first if "] pack for " in line]
    assert packs and not any("prepare]" in line or "] pack for" in line for line in second)
    assert [line for line in first if line.startswith("[0:main]") and line not in packs] == second
    assert "conv2d.f32(" in second[0] and "map interpreted(add max)" in second[0] and "<- conv" in second[0]


def test_says_which_maps_are_compiled() -> None:
    case, engine = engine_of("conv_norm_dense")
    x = case.feeds(np.random.default_rng(0))[2]
    engine.use_compiled(jit.compile_programs(engine.plan))
    assert any("map compiled(add max)" in line for line in traced(engine, x))


def test_threads_that_took_part() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, 512])
        y = gc.matmul(x, gc.transpose(x))
        metadata = gc.RunMetadata()
        with gc.Session(config=gc.ConfigProto(intra_op_parallelism_threads=2)) as session:
            counts = set()
            for _ in range(1000):                  # until the machine has a core for the worker
                session.run(y, {x: np.ones((600, 512), np.float32)}, gc.RunOptions(trace_level=3), metadata)
                line = next(line for line in metadata.kernels if "matmul.f32" in line)
                counts.add(int(line.split("threads ")[1].split()[0].rstrip(",")))
                if 2 in counts:
                    break
    assert counts <= {1, 2} and 2 in counts


def test_a_run_that_fails_ends_with_the_step_to_blame(capfd: pytest.CaptureFixture[str],
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHC_TRACE", "1")
    with gc.Graph().as_default():
        i = gc.placeholder(gc.int32, [1])
        y = gc.gather(gc.constant(np.ones((3, 2), np.float32)), i, name="rows") + 1.0
        with gc.Session() as session, pytest.raises(errors.InvalidArgumentError):
            session.run(y, {i: np.array([7], np.int32)})
    last = capfd.readouterr().err.splitlines()[-1]
    assert last.startswith("graphc: [0:") and "gather.f32.i32(" in last and "rows" in last


def test_what_finds_no_room_is_counted() -> None:
    _, engine = engine_of("growing_loop")
    inputs = [np.ones(2, np.float32), np.float32(0.5), np.int32(9)]
    whole = traced(engine, inputs)
    part = traced(engine, inputs, 200)
    assert 1 < len(part) < len(whole)
    assert part[:-1] == whole[:len(part) - 1]
    assert part[-1] == f"{len(whole) - len(part) + 1} more events found no room"


def test_off_by_default(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRAPHC_TRACE", raising=False)
    case, engine = engine_of("growing_loop")
    inputs = [np.array(x, order="C") for x in case.feeds(np.random.default_rng(0))[0]]
    trace = Trace()
    engine.run(inputs, trace=trace.address)
    before = trace.words[:8].copy()
    engine.run(inputs)                             # the same frame, without a trace
    assert (trace.words[:8] == before).all()
    metadata = gc.RunMetadata()
    with gc.Graph().as_default(), gc.Session() as session:
        session.run(gc.constant(1.0) + gc.constant(2.0), run_metadata=metadata)
    assert metadata.kernels == [] and capfd.readouterr().err == ""
