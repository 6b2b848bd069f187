"""The five hand-written Plans, run by the Python engine, against NumPy."""
from __future__ import annotations

import numpy as np
import pytest

from graphc.exec.engine import Engine
from graphc.exec.library import load_library
from graphc.kernels.toolchain.targets import host_targets
from graphc.session.reports.trace import Trace

from five import CASES, Case


def check(case: Case, engine: Engine, states: dict[str, np.ndarray], seed: int = 0) -> list[list[np.ndarray]]:
    """Runs every list of feeds through the engine and compares outputs and states with NumPy's."""
    results = []
    truth = {name: value.copy() for name, value in states.items()}
    for inputs in case.feeds(np.random.default_rng(seed)):
        outputs = engine.run([np.array(x, order="C") for x in inputs])
        expected = case.expected(inputs, case.constants, truth)
        assert len(outputs) == len(expected)
        for found, right in zip(outputs, expected, strict=True):
            assert found.shape == right.shape and found.dtype == right.dtype
            np.testing.assert_allclose(found, right, rtol=2e-4, atol=2e-5)
        results.append([np.array(o) for o in outputs])
    return results


@pytest.mark.parametrize("name", CASES)
def test_python_equals_numpy(name: str) -> None:
    case = CASES[name]()
    engine = Engine(case.plan, case.constants, dict(case.states), case.hosts)
    check(case, engine, case.states)


@pytest.mark.parametrize("isa", [target.name for target in host_targets()])
@pytest.mark.parametrize("name", CASES)
def test_every_instruction_set_equals_numpy(name: str, isa: str) -> None:
    library = load_library(isa)
    assert library.isa == isa
    for threads in (1, 3):
        case = CASES[name]()
        engine = Engine(case.plan, case.constants, dict(case.states), case.hosts, threads=threads, library=library)
        check(case, engine, case.states)


@pytest.mark.parametrize("name", CASES)
def test_thread_counts_are_bit_equal(name: str) -> None:
    results = []
    for threads in (1, 2, 5):
        case = CASES[name]()
        engine = Engine(case.plan, case.constants, dict(case.states), case.hosts, threads=threads)
        results.append(check(case, engine, case.states, seed=1))
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            for x, y in zip(a, b, strict=True):
                assert x.tobytes() == y.tobytes()


def test_format_of_weights_is_chosen_when_sizes_are_bound() -> None:
    """One weight, packed in one format for a single row and in another for 64: the Plan knows of neither."""
    case = CASES["conv_norm_dense"]()
    engine = Engine(case.plan, case.constants, {}, {}, threads=1)
    formats = []
    for batch in (1, 64):
        trace = Trace(1 << 16)
        engine.run([np.ones((batch, 6, 6, 3), np.float32)], trace=trace.address)
        lines = trace.lines(engine.plan, engine.names)
        formats += [line.split("format ")[1].split(",")[0] for line in lines if "matmul.f32(" in line]
        assert any("pack for matmul.f32" in line for line in lines)
    assert len(set(formats)) == 2
