"""Convolutions of values that are not finite: what padding makes of them, in Sessions as in the references."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.exec.reference import apply_reference
from graphc.ir.op import OPS

from samples import arrays, build, definition, registered

CONVOLUTIONS = [t for t in registered() if t.startswith(("Conv2D", "Conv3D", "DepthwiseConv2d"))]


@pytest.mark.parametrize("op_type", CONVOLUTIONS)
def test_padding_hides_no_infinity_and_makes_no_nan(op_type):
    op = OPS[op_type]
    for sample in op.samples:
        for operand in range(2):
            values = arrays(op, sample)
            if not values[operand].size:
                continue
            generator = np.random.default_rng(operand)
            values[operand].flat[generator.integers(0, values[operand].size, 3)] = np.inf, -np.inf, np.nan
            with np.errstate(all="ignore"):
                wanted, = apply_reference(definition(op, sample), values)
            built = build(op, sample, values)
            with gc.Session(graph=built.graph) as session:
                found = session.run(built.outputs[0], dict(zip(built.inputs, values, strict=True)))
            np.testing.assert_allclose(found, wanted, 1e-4, 1e-4, err_msg=f"{sample.attributes}, operand {operand}")
