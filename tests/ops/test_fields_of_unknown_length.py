"""Fields that are fed (a shape, a begin) and whose number of elements is not known while building: what the graph says
of the results' number and dtypes, and what a Session gives, is what constants give."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir.op import OPS
from graphc.ops.build import apply

import samples as samples_

WITH_FIELDS = [op for op in samples_.registered()
               if OPS[op].field_operands() and op not in samples_.ELSEWHERE and not op.startswith("Random")
               and op != "TruncatedNormal"]
# The axes that an op works on are part of a Plan, as ranks are.
AXES = {"axis", "dim", "dimension", "split_dim", "perm"}


def results(found: Any) -> list[Any]:
    return list(found) if isinstance(found, (list, tuple)) else [found]


@pytest.mark.parametrize("op_type", WITH_FIELDS)
def test_results_are_those_of_known_fields(op_type: str) -> None:
    op = OPS[op_type]
    tried = 0
    for sample in op.samples:
        values = samples_.arrays(op, sample)
        for name in set(op.field_operands()) - AXES:
            field = np.asarray(getattr(samples_.definition(op, sample), name))
            with gc.Graph().as_default(), gc.Session() as session:
                inputs = samples_.grouped(op, [gc.constant(v) for v in values])
                expected = results(apply(op, *inputs, **sample.attributes))
                field = field.astype(np.int32)
                fed = gc.placeholder(gc.int32)
                found = results(apply(op, *inputs, **{**sample.attributes, name: fed}))
                assert [t.dtype for t in found] == [t.dtype for t in expected]
                for a, b in zip(session.run(found, {fed: field}), session.run(expected), strict=True):
                    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
            tried += 1
    assert tried or set(op.field_operands()) <= AXES
