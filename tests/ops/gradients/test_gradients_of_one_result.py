"""Gradients of one result of an op with several: the others get none, and nothing may need them."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.ir.op import OPS, Effect

from samples import arrays, build


def _several() -> list[str]:
    return sorted(t for t, op in OPS.items() if op.samples and not op.refs and op.effect == Effect.PURE and
                  (len(op.results) > 1 or any(r.endswith("*") for r in op.results)))


@pytest.mark.parametrize("op_type", _several())
def test_gradient_of_each_result(op_type: str) -> None:
    op = OPS[op_type]
    for sample in op.samples[:4]:
        values = arrays(op, sample)
        built = build(op, sample, values)
        with built.graph.as_default(), gc.Session() as session:
            sources = [t for t in built.inputs if t.dtype.is_floating]
            for output in built.outputs:
                if not output.dtype.is_floating or not sources:
                    continue
                try:
                    found = gc.gradients(output, sources)
                except LookupError as error:
                    assert "No gradient defined" in str(error)
                    continue
                wanted = [(g, x) for g, x in zip(found, sources, strict=True) if g is not None]
                feeds = dict(zip(built.inputs, values, strict=True))
                for (_, x), value in zip(wanted, session.run([g for g, _ in wanted], feeds), strict=True):
                    assert np.shape(value) == tuple(x.shape.as_list())
