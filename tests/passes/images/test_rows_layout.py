"""Convolutions along one axis and of volumes: no transposes between layers, filters prepared before the run."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.images.layout import layout
from graphc.passes.pipeline import PIPELINE
from graphc.passes.simplification.common_subexpressions import common_subexpressions
from graphc.passes.simplification.fold_constants import fold_constants
from graphc.passes.simplification.simplify import simplify
from graphc.plan.compile import compile_graph
from graphc.plan.plan import Map

from checking import check_compiled, flow_of, types

CHANNELS = 24


def filters(count: int, *shape: int) -> np.ndarray:
    return (np.random.default_rng(count).standard_normal(shape) / 4).astype(np.float32)


def gated(x: Any, first: bool, sizes: tuple[int, ...] = (1, 2, 4)) -> Any:
    """Layers of a WaveNet: gates, a residual and what all layers add up; x [batch, channels, width] if `first`."""
    kind, total = "NCW" if first else "NWC", None
    bias_shape = [1, CHANNELS, 1] if first else [1, 1, CHANNELS]
    for number, dilation in enumerate(sizes):
        made = [gc.nn.conv1d(x, gc.constant(filters(3 * number + i, 3, CHANNELS, CHANNELS)), 1, "SAME",
                             data_format=kind, dilations=dilation) + np.full(bias_shape, 0.1, np.float32)
                for i in range(2)]
        z = gc.tanh(made[0]) * gc.sigmoid(made[1])
        total = z if total is None else total + z
        x = x + gc.nn.conv1d(z, gc.constant(filters(3 * number + 2, 1, CHANNELS, CHANNELS)), 1, "SAME",
                             data_format=kind)
    return gc.nn.relu(total) + x


def test_transposes_of_rows_stand_at_the_edges() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, CHANNELS, None])
        y = gated(x, True)
        flow = flow_of([y], [x])
        for rewrite in (fold_constants, simplify, layout, common_subexpressions):
            flow = rewrite(flow)
    assert types(flow).count("Conv2D") == 9
    assert types(flow).count("Transpose") == 2


@pytest.mark.parametrize("batch,width", [(1, 1), (2, 17), (3, 65)])
def test_both_formats_of_rows_give_the_same(batch: int, width: int) -> None:
    rows = np.random.default_rng(width).standard_normal((batch, width, CHANNELS)).astype(np.float32)
    found = []
    for first in (True, False):
        fed = rows.transpose(0, 2, 1) if first else rows
        with gc.Graph().as_default(), gc.Session() as session:
            x = gc.placeholder(gc.float32, [None, CHANNELS, None] if first else [None, None, CHANNELS])
            y = gated(x, first)
            (gradient,) = gc.gradients(gc.reduce_sum(y * y), x)
            found.append([v.transpose(0, 2, 1) if first else v for v in session.run([y, gradient], {x: fed})])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_operands_of_every_rank_beside_rows() -> None:
    """A scalar, one number a column, [channels, width] and whole rows, on either side."""
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [2, 3, 5])
        rows = gc.nn.conv1d(x, gc.constant(filters(9, 3, 3, 4)), 1, "SAME", data_format="NCW")
        other = gc.placeholder(gc.float32, [2, 4, 5])
        y = np.float32(2) * rows + gc.range(5.) - gc.constant(filters(10, 4, 5))
        fetches = [gc.maximum(gc.constant(filters(11, 4, 1)), y) * other, gc.where(other > 0, rows, y)]
        arrays = [filters(12, 2, 3, 5), filters(13, 2, 4, 5)]
        check_compiled(fetches, [x, other], arrays)


def test_rows_in_a_loop() -> None:
    def once(i: Any, value: Any) -> tuple[Any, Any]:
        return i + 1, gated(value, True, (1, 2))
    rows = filters(14, 2, CHANNELS, 11) / 4
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, CHANNELS, None])
        _, looped = gc.while_loop(lambda i, _: i < 2, once, (gc.constant(0), x),
                                  shape_invariants=(gc.TensorShape([]), gc.TensorShape([None, CHANNELS, None])))
        y = gated(gated(x, True, (1, 2)), True, (1, 2))
        found, expected = session.run([looped, y], {x: rows})
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rank", [1, 3])
def test_filters_that_are_turned_and_reshaped_are_prepared(rank: int) -> None:
    """ONNX's filters are [out, in, spatial...]: a run must not turn them."""
    shape = (24, 60) + (3,) * rank
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [1, *(5,) * rank, 60])
        turned = gc.transpose(gc.constant(filters(rank, *shape)), [*range(2, 2 + rank), 1, 0])
        y = gc.nn.convolution(x, turned, "SAME")
        plan = compile_graph([y], [], [x], [2 + rank], PIPELINE).plan
        check_compiled([y], [x], [filters(3, 1, *(5,) * rank, 60)], tolerance=1e-4)
    assert plan.prepare > 0
    assert not any(isinstance(step, Map) for step in plan.bodies[0].steps)
    assert any(isinstance(step, Map) for step in plan.bodies[plan.prepare].steps)
