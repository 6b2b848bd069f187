"""check_rewrite and friends: a pass must keep the values AND do what it is for.

The oracle is the flow before the pass, run by the ops' NumPy references; Plans run in tests/plan/numpy_plan.py.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.exec.reference import run_reference
from graphc.ir.node import Flow
from graphc.ir.verify import verify
from graphc.passes.driver import Pass
from graphc.passes.pipeline import PIPELINE, UNFUSED
from graphc.passes.snapshot.snapshot import take_snapshot
from graphc.plan.compile import Compiled, compile_graph

from flow_reference import FlowReference
from numpy_plan import NumpyModel


def flow_of(fetches: Sequence[Any], feeds: Sequence[Any] = (), targets: Sequence[Any] = ()) -> Flow:
    return take_snapshot(list(fetches), list(targets), list(feeds), [len(t.spec.shape) for t in feeds])


def types(flow: Flow) -> list[str]:
    """Op types of a flow, sorted; inputs and constants left out."""
    return sorted(n.op.type for n in flow.nodes() if n.op.type not in ("_FlowInput", "Const"))


def close(a: Any, b: Any, tolerance: float = 1e-5) -> None:
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        assert x.dtype == y.dtype and x.shape == y.shape, (x.dtype, y.dtype, x.shape, y.shape)
        if x.dtype.kind == "f":
            np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)
        else:
            np.testing.assert_array_equal(x, y)


def check_rewrite(before: Flow, rewrite: Pass, feeds: Sequence[Any], expected: Sequence[str] | None = None) -> Flow:
    """Runs the pass; its result must be valid, compute the same, be a fixpoint, and hold these op types (sorted)."""
    after = rewrite(before)
    verify(after, "the pass under test")
    close(FlowReference(before).run(*feeds), FlowReference(after).run(*feeds))
    if expected is not None:
        assert types(after) == sorted(expected)
    again = rewrite(after)
    assert types(again) == types(after), "the pass is not idempotent"
    return after


def check_compiled(fetches: Sequence[Any], feeds: Sequence[Any], arrays: Sequence[Any],
                   states: dict[str, np.ndarray] | None = None, targets: Sequence[Any] = (),
                   tolerance: float = 1e-5) -> Compiled:
    """Compiles with and without fusion; both Plans must compute what the graph's reference does, states included."""
    expected_states = {k: np.array(v) for k, v in (states or {}).items()}
    found = run_reference([*fetches, *targets], dict(zip(feeds, arrays, strict=True)), expected_states)
    expected = [np.asarray(a) for a in found[:len(fetches)]]
    made: Compiled | None = None
    for pipeline in (UNFUSED, PIPELINE):
        made = compile_graph(list(fetches), list(targets), list(feeds), [np.ndim(a) for a in arrays], pipeline)
        model = NumpyModel(made.plan, made.constants, dict(states or {}))
        close(expected, model.run(*arrays), tolerance)
        for row in made.plan.states:
            if row.name in expected_states:
                close([expected_states[row.name]], [model.state(row.name)], tolerance)
    assert made is not None
    return made
