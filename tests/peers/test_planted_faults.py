"""The comparison notices faults: each is planted in an op, of which a few dozen cases must find it."""
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase
from test_parity import Record, compare

from graphc.ir.op import OPS
from graphc.ir.spec import Spec

EXAMPLES = 80
Methods = dict[str, Callable[..., Any]]


def less_exact(op: Any) -> Methods:
    def scalar(self: Any, s: Any, x: Any, y: Any) -> Any:
        made = s("mul", x, y)
        return s("mul", made, s.constant(1.0001, s.dtype(x))) if s.dtype(x).is_floating else made
    return {"scalar": scalar}


def exchanged(op: Any) -> Methods:
    return {"scalar": lambda self, s, x, y: s("sub", y, x)}


def passes_over_nan(op: Any) -> Methods:
    return {"scalar": lambda self, s, x, y: s("select", s("less", y, x), x, s("select", s("equal", y, y), y, x))}


def no_infinity(op: Any) -> Methods:
    return {"scalar": lambda self, s, x: s("min", s("sqrt", x), s.constant(1e30, s.dtype(x)))}


def without_attribute(op: Any) -> Methods:
    kept = op.lower
    return {"lower": lambda self, *rest: kept(dataclasses.replace(self, exclusive=False), *rest)}


def takes_any_index(op: Any) -> Methods:
    kept = op.lower

    def lower(self: Any, b: Any, inputs: Any, outputs: Any) -> None:
        inside = b.temporary(inputs[1].dtype, inputs[1].shape)
        last = inputs[0].shape[self.axis] - 1
        b.map(lambda s, i: s("min", s("max", i, s.constant(0, s.dtype(i))), s.constant(last, s.dtype(i))), [inputs[1]],
              [inside])
        kept(self, b, [inputs[0], inside], outputs)
    return {"lower": lower}


def forgets_a_size(op: Any) -> Methods:
    kept = op.infer

    def infer(self: Any, x: Spec) -> Any:
        made = kept(self, x)
        known = made.shape is None or any(isinstance(size, int) for size in made.shape)
        return made if known or not made.shape else Spec(made.dtype, None)
    return {"infer": infer}


def ties_all_win(op: Any) -> Methods:
    def grad(self: Any, g: Any, node: Any, dy: Any) -> Any:
        chosen = g.cast(g.equal(self.spread(g, node, node.outputs[0]), node.inputs[0]), dy.dtype)
        return [g.mul(chosen, self.spread(g, node, dy)), None]
    return {"grad": grad}


def other_slot(op: Any) -> Methods:
    kept = op.expand
    return {"expand": lambda self, *rest: tuple(reversed(kept(self, *rest)))}


FAULTS: dict[str, tuple[str, Callable[[Any], Methods]]] = {
    "a wrong fifth digit": ("Mul", less_exact),
    "operands exchanged": ("Sub", exchanged),
    "a NaN passed over": ("Maximum", passes_over_nan),
    "no infinity": ("Sqrt", no_infinity),
    "an attribute without effect": ("Cumsum", without_attribute),
    "an index out of range is taken": ("GatherV2", takes_any_index),
    "static shapes less known": ("Transpose", forgets_a_size),
    "a wrong gradient": ("Exp", lambda op: {"grad": lambda self, g, node, dy: [dy]}),
    "the gradient of ties": ("Max", ties_all_win),
    "a missing gradient": ("Tanh", lambda op: {"grad": lambda self, g, node, dy: [None]}),
    "an update of another variable": ("ApplyMomentum", other_slot),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_notices(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    op_type, plant = FAULTS[fault]
    compare(Record(op_type), EXAMPLES, (Phase.generate,))      # without the fault
    for name, changed in plant(OPS[op_type]).items():
        monkeypatch.setattr(OPS[op_type], name, changed)
    with pytest.raises((AssertionError, ExceptionGroup)):
        compare(Record(op_type), EXAMPLES, (Phase.generate,))
