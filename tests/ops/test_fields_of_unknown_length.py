"""Fields that are fed (a shape, a begin) and whose number of elements is not known while building: what the graph says
of the results' number and dtypes, what a Session gives, and the gradients are what they are with constants."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir.apply import apply
from graphc.ir.op import OPS, Effect

import samples as samples_

WITH_FIELDS = [op for op in samples_.registered()
               if OPS[op].field_operands() and op not in samples_.ELSEWHERE
               and OPS[op].effect is not Effect.RANDOM]
# The axes that an op works on are part of a Plan, as ranks are; so are the diagonals, the windows and the algorithms of
# these ops.
AXES = {"axis", "concat_dim", "dim", "dimension", "split_dim", "perm", "reduction_indices", "reduction_axes"}
OTHERS = {**{f"Matrix{op}V{i}": {"k"} for op in ("Diag", "DiagPart", "SetDiag") for i in (2, 3)},
          **{f"Stateless{op}V2": {"alg"} for op in ("RandomUniform", "RandomNormal", "TruncatedNormal",
                                                    "RandomUniformInt", "RandomUniformFullInt")},
          **{op: {"ksize", "strides"} for op in ("MaxPoolV2", "MaxPoolGradV2", "MaxPoolGradGradV2")}}


def results(found: Any) -> list[Any]:
    return list(found) if isinstance(found, (list, tuple)) else [found]


def gradients(ys: list[Any], inputs: list[Any]) -> list[Any]:
    flat = [x for i in inputs for x in (i if isinstance(i, (list, tuple)) else [i])]
    moved = [x for x in flat if x.dtype.is_differentiable]
    of_numbers = [y for y in ys if y.dtype.is_differentiable]
    try:
        return gc.gradients([gc.real(gc.sin(y)) for y in of_numbers], moved) if of_numbers and moved else []
    except LookupError:            # of some ops TF has no gradient
        return []


def filter_out(slopes: list[Any]) -> list[Any]:
    return [s for s in slopes if s is not None]


@pytest.mark.parametrize("op_type", WITH_FIELDS)
def test_results_are_those_of_known_fields(op_type: str) -> None:
    op = OPS[op_type]
    tried = 0
    for sample in op.samples:
        values = samples_.arrays(op, sample)
        for name in set(op.field_operands()) - AXES - OTHERS.get(op_type, set()):
            field = np.asarray(getattr(samples_.definition(op, sample), name))
            with gc.Graph().as_default(), gc.Session() as session:
                inputs = samples_.grouped(op, [gc.constant(v) for v in values])
                expected = results(apply(op, *inputs, **sample.attributes))
                field = field.astype(np.int32).reshape((-1, 2) if name == "paddings" else field.shape)
                fed = gc.placeholder(gc.int32)
                found = results(apply(op, *inputs, **{**sample.attributes, name: fed}))
                assert [t.dtype for t in found] == [t.dtype for t in expected]
                slopes, expected_slopes = gradients(found, inputs), gradients(expected, inputs)
                assert [s is None for s in slopes] == [s is None for s in expected_slopes]
                wanted = [[*expected, *filter_out(expected_slopes)], [*found, *filter_out(slopes)]]
                for a, b in zip(session.run(wanted[1], {fed: field}), session.run(wanted[0]), strict=True):
                    if found[0].dtype == gc.string:
                        np.testing.assert_array_equal(a, b)
                    else:
                        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
            tried += 1
    assert tried or set(op.field_operands()) <= AXES or op_type in OTHERS
