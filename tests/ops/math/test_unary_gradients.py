"""The gradient ops of unary functions take operands of one shape, as TensorFlow's: they do not broadcast."""
from __future__ import annotations

import numpy as np
import pytest

import graphc as gc
from graphc.ir.apply import apply
from graphc.ir.elementwise import UnaryGrad
from graphc.ir.op import OPS

import samples

GRADS = [name for name in samples.registered() if issubclass(OPS[name], UnaryGrad)]
assert len(GRADS) > 10


@pytest.mark.parametrize("op", GRADS)
@pytest.mark.parametrize("shapes", [((2, 3), (1, 3)), ((3,), (2, 3)), ((2, 3), ())])
def test_other_shapes_are_refused(op: str, shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        values = [np.full(s, 0.5, np.float32) for s in shapes]
        with pytest.raises(ValueError, match="must have the same shape"):
            apply(OPS[op], *(gc.constant(v) for v in values))
        unknown = [gc.placeholder(gc.float32) for _ in shapes]
        z = apply(OPS[op], *unknown)
        assert session.run(z, dict.fromkeys(unknown, values[0])).shape == shapes[0]
        with pytest.raises(gc.errors.InvalidArgumentError, match=r"must have the same shape"):
            session.run(z, dict(zip(unknown, values, strict=True)))
        if len(shapes[0]) == len(shapes[1]):
            sized = [gc.placeholder(gc.float32, [None] * len(s)) for s in shapes]
            with pytest.raises(gc.errors.InvalidArgumentError, match=r"must have the same shape"):
                session.run(apply(OPS[op], *sized), dict(zip(sized, values, strict=True)))
