"""Every differentiable op inside a branch inside a loop: its gradient there is the one that it has outside."""
from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ir.apply import apply
from graphc.ir.op import OPS

import samples as samples_
from differences import check, placeholders

TIMES = 2
BUILT = {op for op in samples_.registered() if op not in samples_.ELSEWHERE and not OPS[op].refs
         and any(s.gradient and s.inputs for s in OPS[op].samples)}


def of_floats(op_type: str) -> Any:
    """A sample with a gradient whose arrays are not empty, and these arrays in float64."""
    op = OPS[op_type]
    for sample in op.samples:
        values = samples_.arrays(op, sample, double=True)
        if sample.gradient and all(v.size for v in values) and any(v.dtype == np.float64 for v in values):
            return sample, values
    return None


def weighted(op_type: str, sample: Any, inputs: list[Any]) -> Any:
    """A scalar made of all results of the op that have gradients, each with other weights."""
    op = OPS[op_type]
    definition = samples_.definition(op, sample, double=True)
    fields = {name: getattr(definition, name) for name in (f.name for f in dataclasses.fields(op))}
    found = apply(op, *samples_.grouped(op, inputs), **fields)
    results = [t for t in (found if isinstance(found, (tuple, list)) else [found]) if t.dtype.is_differentiable]
    if op_type in FIRST_RESULT_ONLY:
        results = results[:1]
    return gc.add_n([gc.reduce_sum(gc.sin(t * 0.7 + float(i))) for i, t in enumerate(results)])


FIRST_RESULT_ONLY = {"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"}


@pytest.mark.parametrize("op_type", sorted(BUILT))
def test_gradient_in_a_branch_in_a_loop(op_type: str) -> None:
    chosen = of_floats(op_type)
    if chosen is None:
        pytest.skip("no sample of floating point")
    sample, values = chosen
    with gc.Graph().as_default(), gc.Session() as session:
        inputs = [gc.placeholder(v.dtype, v.shape) for v in values]
        moved = [x for x in inputs if x.dtype.is_differentiable]
        outside = [gc.convert_to_tensor(dx) for dx in gc.gradients(
            weighted(op_type, sample, inputs), moved, unconnected_gradients="zero")]

        def body(i: Any, one: Any, total: Any) -> Any:
            # Times a carried value: nothing of it can be used from outside the loop.
            def here() -> Any:
                return weighted(op_type, sample, [x * one if x.dtype.is_differentiable else x for x in inputs])

            return [i + 1, one * 1.0, total + gc.cond(gc.less(i, TIMES), here, lambda: total * 0.0)]

        start = [gc.constant(0), gc.constant(1.0, gc.float64), gc.constant(0.0, gc.float64)]
        y = gc.while_loop(lambda i, *_: i < TIMES + 1, body, start)[2]
        inside = gc.gradients(y, moved, unconnected_gradients="zero")
        found = session.run([inside, outside], dict(zip(inputs, values, strict=True)))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, TIMES * b, rtol=1e-9, atol=1e-11)


COMPOSITES = {
    "bias_add": lambda x: gc.nn.bias_add(x, x[0]), "xw_plus_b": lambda x: gc.nn.xw_plus_b(x, gc.transpose(x), x[:, 0]),
    "where": lambda x: gc.where(x > 1.0, x * x, x), "maximum": lambda x: gc.maximum(x, x * x),
    "clip_by_value": lambda x: gc.clip_by_value(x * x, 0.5, 1.2), "clip_by_norm": lambda x: gc.clip_by_norm(x, 1.0),
    "l2_normalize": lambda x: gc.nn.l2_normalize(x, 1), "pow": lambda x: gc.pow(x, gc.tanh(x)),
    "sigmoid cross entropy": lambda x: gc.nn.sigmoid_cross_entropy_with_logits(labels=x * 0.5, logits=x),
    "softmax cross entropy": lambda x: gc.nn.softmax_cross_entropy_with_logits(labels=np.eye(3), logits=x * x),
}


@pytest.mark.parametrize("place", ["loop", "cond", "cond in loop", "loop in cond", "loop in loop"])
@pytest.mark.parametrize("name", COMPOSITES)
def test_composites(name: str, place: str) -> None:
    """Against differences, first and second order."""
    function = COMPOSITES[name]

    def loop(h: Any, step: Any) -> Any:
        return gc.while_loop(lambda i, h: i < 2, lambda i, h: [i + 1, step(h)], [gc.constant(0), h],
                             shape_invariants=[[], [3, 3]])[1]

    def once(h: Any) -> Any:
        return h + 0.1 * gc.reshape(gc.reduce_sum(function(h)), [1, 1])

    def branch(h: Any) -> Any:
        return gc.cond(gc.reduce_sum(h) > 0.0, lambda: once(h), lambda: h)

    places = {"loop": lambda x: loop(x, once), "cond": branch, "cond in loop": lambda x: loop(x, branch),
              "loop in cond": lambda x: gc.cond(gc.reduce_sum(x) > 0.0, lambda: loop(x, once), lambda: x),
              "loop in loop": lambda x: loop(x, lambda h: loop(h, once))}
    with gc.Graph().as_default():
        feeds = placeholders([(3, 3)], "known")
        x, = feeds
        check(places[place](x), feeds, order=2 if name in ("where", "pow", "bias_add") else 1)


def test_no_gradient_is_none() -> None:
    """As in TensorFlow 1, where ops without a gradient are all that leads there. Where one branch has a gradient, the
    other one's is zero."""
    x, y, p = gc.placeholder(gc.float32, [3]), gc.placeholder(gc.float32, [3]), gc.placeholder(gc.bool, [])
    before = len(gc.get_default_graph().functions)
    neither = gc.cond(p, lambda: gc.floordiv(x, y) * 2.0, lambda: gc.floordiv(y, x))
    assert gc.gradients(neither, [x, y]) == [None, None]
    assert len(gc.get_default_graph().functions) == before + 2
    one = gc.cond(p, lambda: gc.floordiv(x, y) * 2.0, lambda: gc.floordiv(y, x) * y)
    found = gc.gradients(one, [x, y])
    assert found[0] is None
    carried = gc.while_loop(lambda k, a: k < 2, lambda k, a: [k + 1, a * gc.floordiv(x, y)], [0, x])[1]
    in_loop = gc.gradients(carried, [x, y])
    assert in_loop[1] is None
    with gc.Session() as session:
        fed = {x: [1.0, 2.0, 3.0], y: [4.0, 5.0, 6.0]}
        np.testing.assert_array_equal(session.run(found[1], {**fed, p: False}), [4, 2, 2])
        np.testing.assert_array_equal(session.run(found[1], {**fed, p: True}), [0, 0, 0])
        np.testing.assert_array_equal(session.run(in_loop[0], {**fed, x: [9.0, 5.0, 6.0]}), [4, 1, 1])
