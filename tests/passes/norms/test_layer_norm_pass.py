"""layer_norm: which spellings become the kernels' steps, what must stay composed, and that sessions get the same."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.norms.layer_norm import layer_norm
from graphc.passes.simplification.fold_constants import fold_constants
from graphc.passes.simplification.simplify import simplify
from graphc.plan.compile import compile_graph
from graphc.plan.plan import Call

from checking import check_rewrite, flow_of, types

EPSILON = 1e-3
Norm = Callable[[Any, Any, Any], Any]


def values(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def by_moments(x: Any, scale: Any, shift: Any) -> Any:
    mean, variance = gc.nn.moments(x, [-1], keep_dims=True)
    return gc.nn.batch_normalization(x, mean, variance, shift, scale, EPSILON)


def by_moments_without_units(x: Any, scale: Any, shift: Any) -> Any:
    mean, variance = gc.nn.moments(x, [-1])
    inverse = gc.expand_dims(gc.rsqrt(variance + EPSILON), -1)
    return (x - gc.expand_dims(mean, -1)) * inverse * scale + shift


def by_root(x: Any, scale: Any, shift: Any) -> Any:
    centred = x - gc.reduce_mean(x, -1, keepdims=True)
    return shift + scale * (centred / gc.sqrt(gc.reduce_mean(gc.square(centred), -1, keepdims=True) + EPSILON))


def by_power(x: Any, scale: Any, shift: Any) -> Any:
    centred = x - gc.reduce_mean(x, -1, keepdims=True)
    variance = gc.reduce_mean(centred * centred, -1, keepdims=True)
    return scale * centred * gc.pow(variance + EPSILON, -0.5) + shift


def by_sums(x: Any, scale: Any, shift: Any) -> Any:
    count = gc.cast(gc.shape(x)[-1], gc.float32)
    mean = gc.reduce_sum(x, -1, keepdims=True) / count
    variance = gc.reduce_sum(gc.squared_difference(x, mean), -1, keepdims=True) / count
    return (x - mean) * gc.rsqrt(EPSILON + variance) * scale + shift


def by_mean_of_squares(x: Any, scale: Any, shift: Any) -> Any:
    mean = gc.reduce_mean(x, -1, keepdims=True)
    variance = gc.reduce_mean(gc.square(x), -1, keepdims=True) - gc.square(mean)
    return (x - mean) * gc.rsqrt(variance + EPSILON) * scale + shift


def rms(x: Any, scale: Any, shift: Any) -> Any:
    return x * gc.rsqrt(gc.reduce_mean(gc.square(x), -1, keepdims=True) + EPSILON) * scale


def rms_by_root(x: Any, scale: Any, shift: Any) -> Any:
    return scale * (x / gc.sqrt(gc.reduce_mean(x * x, -1, keepdims=True) + EPSILON))


SPELLINGS: tuple[Norm, ...] = (by_moments, by_moments_without_units, by_root, by_power, by_sums, by_mean_of_squares,
                               rms, rms_by_root)


def exact(x: np.ndarray, scale: np.ndarray, shift: np.ndarray, weights: np.ndarray, centred: bool) -> list[np.ndarray]:
    """y, and the gradients of sum(tanh(y) * weights) by x, scale and shift, in float64."""
    x, scale, shift, weights = (a.astype(np.float64) for a in (x, scale, shift, weights))
    d = x - x.mean(-1, keepdims=True) if centred else x
    inverse = 1 / np.sqrt(np.square(d).mean(-1, keepdims=True) + EPSILON)
    normal = d * inverse
    y = normal * scale + (shift if centred else 0)
    dy = (1 - np.tanh(y) ** 2) * weights
    w, lead = dy * scale, tuple(range(x.ndim - 1))
    mean_w = w.mean(-1, keepdims=True) if centred else 0
    dx = (w - mean_w - normal * (w * normal).mean(-1, keepdims=True)) * inverse
    return [y, dx, (dy * normal).sum(lead), dy.sum(lead)][:4 if centred else 3]


def trained(norm: Norm, x: Any, size: int, weights: Any) -> tuple[list[Any], list[np.ndarray]]:
    """(y, gradients), and the values of scale and shift."""
    given = [values(size, seed=s) + 2 for s in (1, 2)]
    scale, shift = (gc.Variable(a) for a in given)
    y = norm(x, scale, shift)
    by = [x, scale] if norm in (rms, rms_by_root) else [x, scale, shift]
    return [y, *gc.gradients(gc.reduce_sum(gc.tanh(y) * weights), by)], given


def kernels(fetches: Any, feeds: Any, **how: Any) -> list[str]:
    plan = compile_graph(list(fetches), feeds=list(feeds), **how).plan
    return [step.kernel for body in plan.bodies for step in body.steps if isinstance(step, Call)]


def simple_flow(fetches: Any, feeds: Any) -> Any:
    """As the pass gets it."""
    return simplify(fold_constants(flow_of(fetches, feeds)))


BOTH = {"layer_norm.f32", "layer_norm_grad.f32"}


@pytest.mark.parametrize("norm", SPELLINGS)
@pytest.mark.parametrize("shape", [(5, 17), (3, 4, 31), (2, 3, 1, 65), (0, 3), (1, 1)], ids=str)
def test_spellings_of_unknown_sizes_with_any_number_of_threads(norm: Norm, shape: tuple[int, ...]) -> None:
    x, weights = values(*shape, seed=5) * 3 + 1, values(*shape, seed=6)
    with gc.Graph().as_default():
        fed = gc.placeholder(gc.float32, [*[None] * (len(shape) - 1), shape[-1]])
        fetches, (scale, shift) = trained(norm, fed, shape[-1], gc.placeholder_with_default(weights, weights.shape))
        assert shape[-1] == 1 or set(kernels(fetches, [fed])) >= BOTH        # a mean of one number is no mean
        assert not set(kernels(fetches, [fed], sides={})) & BOTH
        results = []
        for threads in (1, 2, 5):
            with gc.Session(config=gc.ConfigProto(intra_op_parallelism_threads=threads)) as session:
                session.run(gc.global_variables_initializer())
                results.append(session.run(fetches, {fed: x}))
    for found, wanted in zip(results[0], exact(x, scale, shift, weights, norm not in (rms, rms_by_root)), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=2e-5 * max(np.abs(wanted).max(initial=0), 1))
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("norm", SPELLINGS)
def test_the_pass_keeps_values(norm: Norm) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [5, 9])
        scale, shift = (gc.placeholder(gc.float32, [9]) for _ in range(2))
        y = norm(x, scale, shift)
        fetches = [y, *gc.gradients(gc.reduce_sum(gc.tanh(y)), [x, scale])]
        flow = check_rewrite(simple_flow(fetches, [x, scale, shift]), layer_norm,
                             [values(5, 9), values(9, seed=1), values(9, seed=2)])
        assert {"_LayerNorm", "_LayerNormGrad"} <= set(types(flow))


def test_a_residual_connection_and_the_bias_in_front_are_of_the_step() -> None:
    """dx + what comes around the norm, and the sum of that over the rows, for the bias: no map of a matrix is left."""
    with gc.Graph().as_default():
        x, w = gc.placeholder(gc.float32, [None, 8]), gc.placeholder(gc.float32, [8, 8])
        bias, scale, shift = (gc.placeholder(gc.float32, [8]) for _ in range(3))
        feeds = [x, w, bias, scale, shift]
        h = gc.matmul(x, w) + bias
        loss = gc.reduce_sum(gc.square(h + gc.matmul(by_moments(h, scale, shift), w)))
        fetches = gc.gradients(loss, [w, bias, scale, shift])
        made = [n for n in layer_norm(simple_flow(fetches, feeds)).nodes() if n.op.type == "_LayerNormGrad"]
        assert len(made) == 1 and made[0].op.added and made[0].op.summed  # type: ignore[attr-defined]
        check_rewrite(simple_flow(fetches, feeds), layer_norm,
                      [values(5, 8), values(8, 8, seed=3), *(values(8, seed=s) for s in (4, 5, 6))])


@pytest.mark.parametrize("parameters", [(7,), (5, 7)], ids=str)
def test_rows_of_several_axes(parameters: tuple[int, ...]) -> None:
    """All axes but the first, with scale and shift of the last one or of both."""
    x = values(3, 5, 7) * 2
    given = [values(*parameters, seed=s) + 1 for s in (1, 2)]
    with gc.Graph().as_default():
        fed = gc.placeholder(gc.float32, [None, 5, 7])
        scale, shift = (gc.Variable(a) for a in given)
        mean, variance = gc.nn.moments(fed, [1, 2], keep_dims=True)
        y = (fed - mean) * gc.rsqrt(variance + EPSILON) * scale + shift
        fetches = [y, *gc.gradients(gc.reduce_sum(gc.sin(y)), [fed, scale, shift])]
        assert set(kernels(fetches, [fed])) >= BOTH
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            found = session.run(fetches, {fed: x})
    d = x.astype(np.float64) - x.mean((1, 2), keepdims=True, dtype=np.float64)
    inverse = 1 / np.sqrt(np.square(d).mean((1, 2), keepdims=True) + EPSILON)
    normal = d * inverse
    wanted = normal * given[0] + given[1]
    dy, lead = np.cos(wanted), tuple(range(3 - len(parameters)))
    w = dy * given[0]
    dx = (w - w.mean((1, 2), keepdims=True) - normal * (w * normal).mean((1, 2), keepdims=True)) * inverse
    for one, two in zip(found, (wanted, dx, (dy * normal).sum(lead), dy.sum(lead)), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-4)


def test_contrib_layer_norm_and_float64() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, 6])
        y = gc.contrib.layers.layer_norm(x)
        assert set(kernels([y, *gc.gradients(gc.tanh(y), gc.trainable_variables())], [x])) >= BOTH
        wide = gc.placeholder(gc.float64, [None, 6])
        assert "layer_norm.f64" in kernels([rms(wide, gc.ones([6], gc.float64), None)], [wide])


def test_labels_fed_apart_have_sizes_that_are_only_required_to_be_equal() -> None:
    with gc.Graph().as_default():
        x, labels = gc.placeholder(gc.float32, [None, 6]), gc.placeholder(gc.int32, [None])
        w, scale, shift = gc.Variable(values(6, 9)), gc.Variable(values(6)), gc.Variable(values(6))
        logits = gc.matmul(by_root(gc.matmul(x, gc.Variable(values(6, 6))), scale, shift), w)
        loss = gc.reduce_mean(gc.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
        fetches = [loss, *gc.gradients(loss, gc.trainable_variables())]
        assert set(kernels(fetches, [x, labels])) >= BOTH
        with gc.Session() as session:
            session.run(gc.global_variables_initializer())
            session.run(fetches, {x: values(5, 6), labels: [0] * 5})
            with pytest.raises(gc.errors.InvalidArgumentError, match="rows of logits and labels"):
                session.run(fetches, {x: values(5, 6), labels: [0] * 4})


def _stays(fetches: Any, feeds: Any) -> bool:
    return not any("LayerNorm" in name for name in types(layer_norm(simple_flow(fetches, feeds))))


def test_what_stays_composed() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [4, 6])
        mean, variance = gc.nn.moments(x, [-1], keep_dims=True)
        assert _stays([(x - mean) * gc.rsqrt(variance)], [x])                     # nothing is added to the variance
        assert _stays([(x - mean) * gc.rsqrt(variance - 1.0)], [x])
        assert _stays([(x + mean) * gc.rsqrt(variance + 1.0)], [x])               # no deviation
        assert _stays([(x - 2.0 * mean) * gc.rsqrt(variance + 1.0)], [x])
        assert _stays([(x - mean) * gc.rsqrt(2.0 * variance + 1.0)], [x])
        assert _stays([(x - mean) * gc.sqrt(variance + 1.0)], [x])
        first, spread = gc.nn.moments(x, [0], keep_dims=True)
        assert _stays([(x - first) * gc.rsqrt(spread + 1.0)], [x])                # columns
        assert _stays([(x - mean) * gc.rsqrt(spread + 1.0)], [x])
        half = gc.placeholder(gc.float16, [4, 6])
        assert _stays([by_root(half, gc.ones([6], gc.float16), gc.ones([6], gc.float16))], [half])


def test_deviations_that_others_need_stay() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [4, 6])
        mean, variance = gc.nn.moments(x, [-1], keep_dims=True)
        centred = x - mean
        normal = centred * gc.rsqrt(variance + EPSILON)
        y = normal * values(6) + values(6, seed=1)
        assert types(layer_norm(simple_flow([y, gc.tanh(normal)], [x]))).count("_LayerNorm") == 1     # that is `normal`
        assert _stays([y, gc.tanh(centred)], [x])
        assert not _stays([y, mean, variance], [x])
        second = gc.gradients(gc.reduce_sum(gc.square(gc.gradients(gc.tanh(y), x)[0])), x)
        check_rewrite(simple_flow([y, *second], [x]), layer_norm, [values(4, 6)])


def test_equal_sizes_of_other_meaning() -> None:
    """Of a square matrix what is one number a row may not be taken for one number a column."""
    x = values(5, 5) * 3
    with gc.Graph().as_default():
        fed = gc.placeholder(gc.float32, [5, 5])
        mean, variance = gc.nn.moments(fed, [-1])              # without axes of size 1: against the columns
        fetches = [(fed - mean) * gc.rsqrt(variance + EPSILON)]
        assert _stays(fetches, [fed])
        with gc.Session() as session:
            found = session.run(fetches, {fed: x})[0]
    np.testing.assert_allclose(found, (x - x.mean(-1)) / np.sqrt(x.var(-1) + EPSILON), rtol=1e-4, atol=1e-5)


def test_in_a_loop_and_twice_in_a_row() -> None:
    x = values(4, 6) * 2 + 1
    with gc.Graph().as_default():
        fed = gc.placeholder(gc.float32, [None, 6])
        scale, shift = gc.constant(values(6, seed=1) + 1), gc.constant(values(6, seed=2))
        looped = gc.while_loop(lambda i, h: i < 3, lambda i, h: (i + 1, by_moments(h, scale, shift) * 2.0),
                               [gc.constant(0), fed])[1]
        plain = fed
        for _ in range(3):
            plain = by_moments(plain, scale, shift) * 2.0
        with gc.Session() as session:
            found = session.run([looped, gc.gradients(gc.reduce_sum(gc.square(looped) * fed), fed)[0]], {fed: x})
            wanted = session.run([plain, gc.gradients(gc.reduce_sum(gc.square(plain) * fed), fed)[0]], {fed: x})
    for one, two in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-4)


def test_two_norms_of_one_matrix() -> None:
    """As in transformers whose attention and dense layers run side by side."""
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, 6])
        parameters = [gc.constant(values(6, seed=s)) for s in range(4)]
        a, b = by_root(x, *parameters[:2]), by_root(x, *parameters[2:])
        fetches = [a, b, *gc.gradients(gc.reduce_sum(gc.tanh(a) * gc.sin(b) + x * x), x)]
        check_rewrite(simple_flow(fetches, [x]), layer_norm, [values(5, 6)])
