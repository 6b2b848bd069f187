"""Networks written channels first and channels last become one and the same Plan, without a transpose of pictures."""
from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.images.layout import layout
from graphc.passes.pipeline import PIPELINE
from graphc.passes.simplification.fold_constants import fold_constants
from graphc.passes.simplification.simplify import simplify
from graphc.plan.compile import compile_graph

from checking import flow_of, types
from picture_nets import FORMATS, NETS, built

PICTURES = np.random.default_rng(0).standard_normal((2, 32, 32, 3)).astype(np.float32)


def plan_of(name: str, data_format: str, training: bool) -> tuple[Any, int]:
    """The Plan, and how many transposes the user wrote or gradients made."""
    with gc.Graph().as_default() as graph:
        x, fetches = built(name, data_format, training)
        written = sum(op.type == "Transpose" for op in graph.get_operations())
        return compile_graph(fetches, [], [x], [4], PIPELINE).plan, written


def shown(plan: Any) -> list[str]:
    """What a Plan does, without the names and lines of what it was made from."""
    def plain(value: Any) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)
                    if f.name not in ("origins", "origin", "message")}
        return [plain(v) for v in value] if isinstance(value, (list, tuple)) else value

    return [repr(plain(body)) for body in plan.bodies]


def transposes(name: str, data_format: str) -> tuple[int, int]:
    """How many there are before the layout pass, counting two for each op that is channels first, and behind it."""
    with gc.Graph().as_default():
        x, fetches = built(name, data_format, False)
        flow = flow_of(fetches, [x])
    first = sum(getattr(node.op, "data_format", "") in ("NCHW", "NCDHW") for node in flow.nodes())
    before = types(flow).count("Transpose") + 2 * first
    for rewrite in (fold_constants, simplify, layout):
        flow = rewrite(flow)
    return before, types(flow).count("Transpose")


@pytest.mark.parametrize("name", NETS)
def test_no_transpose_is_left(name: str) -> None:
    before, after = transposes(name, "NCHW")
    assert before > 10 and after == 0
    assert transposes(name, "NHWC") == (0, 0)


@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize("name", NETS)
def test_both_formats_have_one_plan(name: str, training: bool) -> None:
    (last, none), (first, written) = (plan_of(name, f, training) for f in FORMATS)
    assert none == 0 or training
    assert written > 0
    assert shown(first) == shown(last)


@pytest.mark.parametrize("name", NETS)
def test_both_formats_give_the_same(name: str) -> None:
    found = []
    for data_format in FORMATS:
        with gc.Graph().as_default(), gc.Session() as session:
            x, fetches = built(name, data_format, True)
            session.run(gc.global_variables_initializer())
            found.append(session.run(fetches, {x: PICTURES}))
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("also_taken", [False, True])
def test_a_pad_that_is_larger_than_its_picture_needs_no_transposes(also_taken: bool) -> None:
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 6, 6, 4])
        filters = gc.constant(np.random.default_rng(1).standard_normal((1, 1, 4, 4)).astype(np.float32))
        rows = gc.transpose(gc.nn.conv2d(x, filters, 1, "VALID"), [0, 3, 1, 2])
        wide = gc.pad(rows, [[0, 0], [0, 0], [5, 4], [3, 6]], constant_values=2.0)
        y = gc.transpose(gc.nn.max_pool(wide, 3, 2, "VALID", "NCHW"), [0, 2, 3, 1])
        fetches = [y, wide] if also_taken else [y]
        left = types(layout(simplify(fold_constants(flow_of(fetches, [x]))))).count("Transpose")
        picture = PICTURES[:, :6, :6, :1] * np.ones(4, np.float32)
        found = session.run(fetches, {x: picture})
        product = np.einsum("nhwc,cd->nhwd", picture, session.run(filters)[0, 0])
    assert left == int(also_taken)
    padded = np.pad(product, [(0, 0), (5, 4), (3, 6), (0, 0)], constant_values=2.0)
    expected = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))[:, ::2, ::2].max((-1, -2))
    np.testing.assert_allclose(found[0], expected, rtol=1e-5, atol=1e-6)
    if also_taken:
        np.testing.assert_allclose(found[1], padded.transpose(0, 3, 1, 2), rtol=1e-5, atol=1e-6)


def test_pictures_that_are_gathered_need_no_transposes() -> None:
    """As files of other programs have pictures that become larger: rows and columns gathered, channels first."""
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, [None, 6, 5, 4])
        filters = gc.constant(np.random.default_rng(1).standard_normal((1, 1, 4, 4)).astype(np.float32))
        h = gc.transpose(gc.nn.conv2d(x, filters, 1, "VALID"), [0, 3, 1, 2])
        wide = gc.gather(gc.gather(h, np.arange(12) // 2, axis=2), np.arange(10) // 2, axis=-1) * 0.5
        first = gc.nn.relu(gc.slice(h, [0, 0, 0, 0], [-1, 1, -1, -1]))
        beside = gc.gather(gc.gather(first, np.arange(12) % 6, axis=2), np.arange(10) % 5, axis=3)
        y = gc.transpose(gc.nn.max_pool(gc.concat([wide, beside], 1), 3, 2, "VALID", "NCHW"), [0, 2, 3, 1])
        left = types(layout(simplify(fold_constants(flow_of([y], [x]))))).count("Transpose")
        picture = PICTURES[:, :6, :5, :1] * np.ones(4, np.float32)
        found = session.run(y, {x: picture})
        product = np.einsum("nhwc,cd->nhwd", picture, session.run(filters)[0, 0])
    assert left == 0
    large = np.concatenate([product[:, np.arange(12) // 2][:, :, np.arange(10) // 2] * 0.5,
                            np.tile(np.maximum(product[..., :1], 0), (1, 2, 2, 1))], -1)
    expected = np.lib.stride_tricks.sliding_window_view(large, (3, 3), (1, 2))[:, ::2, ::2].max((-1, -2))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
