"""Expansions of composite ops, evaluated in NumPy by the references of their parts: equal to the op's own reference,
and no longer so if any one of their sums, differences, products or quotients is another: the samples and the reference
would see a wrong formula."""
from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from graphc.exec.reference import apply_reference
from graphc.ir.dtypes import as_dtype
from graphc.ir.op import OPS, Composite, Op, Sample
from graphc.ir.spec import Spec

from samples import arrays, definition, difference, registered

OTHER = {"Add": "Sub", "AddV2": "Sub", "Sub": "Add", "Mul": "Add", "RealDiv": "Mul", "Square": "Abs",
         "Maximum": "Minimum", "Sum": "Max", "Mean": "Sum", "Rsqrt": "Sqrt", "Sqrt": "Square", "Exp": "Square"}
COMPOSITES = [name for name in registered() if issubclass(OPS[name], Composite) and OPS[name].samples]


@dataclasses.dataclass(frozen=True)
class Held:
    """An array in the form of a value of `Composite.expand`."""

    array: np.ndarray

    @property
    def spec(self) -> Spec:
        return Spec(as_dtype(self.array.dtype), self.array.shape)


@dataclasses.dataclass
class Expansion:
    """The `emit` of one expansion. changed: which of its parts (of those that OTHER knows) is replaced, None: none."""

    changed: int | None
    count: int = 0

    def __call__(self, part: Op, *values: Held) -> Any:
        if part.type in OTHER:
            if self.count == self.changed:
                fields = {f.name: getattr(part, f.name) for f in dataclasses.fields(part)}
                part = OPS[OTHER[part.type]](**fields)
            self.count += 1
        made = tuple(Held(np.asarray(r)) for r in apply_reference(part, [v.array for v in values]))
        return made if len(made) > 1 else made[0]


def problem_of(op: type[Op], sample: Sample, emit: Expansion) -> str | None:
    """What differs between the reference and the expansion, in words."""
    values = arrays(op, sample)
    made = definition(op, sample)
    try:
        with np.errstate(all="ignore"):
            found = made.expand(emit, *(Held(v) for v in values))  # type: ignore[attr-defined]
    except Exception as error:    # a changed part may not even fit
        return f"{type(error).__name__}: {error}"
    found = found if isinstance(found, (tuple, list)) else (found,)
    for a, b in zip(found, apply_reference(made, values), strict=True):
        problem = difference(a.array, np.asarray(b), max(sample.tolerance, 1e-5))
        if problem is not None:
            return problem
    return None


@pytest.mark.parametrize("op_type", COMPOSITES)
def test_expansion_agrees_with_the_reference_and_no_other_does(op_type: str) -> None:
    op = OPS[op_type]
    samples = [s for s in op.samples if getattr(definition(op, s), "data_format", "NHWC") == "NHWC"]
    longest: list[tuple[int, Sample]] = []
    for sample in samples:
        emit = Expansion(None)
        assert problem_of(op, sample, emit) is None, f"{op_type} {sample}: {problem_of(op, sample, Expansion(None))}"
        longest.append((emit.count, sample))
    # Samples of one length are taken as expanding alike; each place must be noticed by one of them.
    for count in {count for count, _ in longest}:
        alike = [s for c, s in longest if c == count]
        for place in range(count):
            assert any(problem_of(op, s, Expansion(place)) for s in alike), f"{op_type}: nothing notices place {place}"
