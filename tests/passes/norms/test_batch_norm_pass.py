"""batch_norm: what kernels compute of batch norms in training, and that sessions get what the op's definition says."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.norms.batch_norm import batch_norm
from graphc.plan.compile import compile_graph
from graphc.plan.plan import Call

from checking import check_rewrite, flow_of, types

MOMENTS, PRODUCTS = "channel_moments.f32", "channel_products.f32"


def values(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def trained(x: Any, channels: int, **how: Any) -> tuple[Any, ...]:
    """(y, mean, variance, gradients by x, scale and offset) of a batch norm."""
    scale, offset = (gc.constant(values(channels, seed=s) + 2) for s in (1, 2))
    y, mean, variance = gc.nn.fused_batch_norm(x, scale, offset, epsilon=0.01, **how)[:3]
    weights = gc.cast(gc.range(1, channels + 1), x.dtype)
    if how.get("data_format") == "NCHW":
        weights = gc.reshape(weights, [channels, 1, 1])
    loss = gc.reduce_sum(gc.square(gc.nn.relu(y)) * weights)
    return (y, mean, variance, *gc.gradients(loss, [x, scale, offset]))


def exact(x: np.ndarray) -> list[np.ndarray]:
    """The same in float64."""
    channels, x = x.shape[-1], x.astype(np.float64)
    scale, offset = (values(channels, seed=s).astype(np.float64) + 2 for s in (1, 2))
    pixels, axes = x.size // channels, (0, 1, 2)
    mean, variance = x.mean(axes), x.var(axes)
    inverse = 1 / np.sqrt(variance + 0.01)
    normal = (x - mean) * inverse
    y = normal * scale + offset
    dy = 2 * np.maximum(y, 0) * np.arange(1, channels + 1)
    by_scale, by_offset = (dy * normal).sum(axes), dy.sum(axes)
    dx = scale * inverse * (dy - by_offset / pixels - normal * by_scale / pixels)
    return [y, mean, variance * pixels / max(pixels - 1, 1), dx, by_scale, by_offset]


def kernels(fetches: Any, feeds: Any, **how: Any) -> list[str]:
    plan = compile_graph(list(fetches), feeds=list(feeds), **how).plan
    return [step.kernel for body in plan.bodies for step in body.steps if isinstance(step, Call)]


def test_both_ways_are_rewritten() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [2, 5, 3, 7])
        flow = check_rewrite(flow_of(trained(x, 7), [x]), batch_norm, [values(2, 5, 3, 7)])
        assert {"_ChannelMoments", "_ChannelProducts"} <= set(types(flow))
        assert not any("BatchNorm" in name for name in types(flow))


@pytest.mark.parametrize("dtype", [gc.float16, gc.bfloat16])
def test_narrow_numbers_are_expanded(dtype: Any) -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(dtype, [2, 5, 3, 7])
        assert "_ChannelMoments" not in types(batch_norm(flow_of(trained(x, 7), [x])))


def test_inference_is_expanded() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [2, 5, 3, 7])
        fetches = trained(x, 7, mean=gc.ones([7]), variance=gc.ones([7]), is_training=False)
        assert "_ChannelMoments" not in types(batch_norm(flow_of(fetches, [x])))


def test_a_plan_of_a_gpu_has_no_such_kernels() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [2, 5, 3, 7])
        fetches = trained(x, 7)
        assert {MOMENTS, PRODUCTS} <= set(kernels(fetches, [x]))
        assert not {MOMENTS, PRODUCTS} & set(kernels(fetches, [x], sides={}))


@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("shape", [(2, 3, 5, 17), (1, 1, 1, 3), (3, 31, 33, 65), (9, 40, 17, 1)], ids=str)
def test_of_unknown_sizes_with_any_number_of_threads(shape: tuple[int, ...], data_format: str) -> None:
    x = values(*shape, seed=5) * 3 + 7
    with gc.Graph().as_default():
        wide = data_format == "NHWC"
        fed = gc.placeholder(gc.float32, [None, None, None, shape[3]] if wide else [None, shape[3], None, None])
        fetches = trained(fed, shape[3], data_format=data_format)
        assert {MOMENTS, PRODUCTS} <= set(kernels(fetches, [fed]))
        results = []
        for threads in (1, 2, 5):
            with gc.Session(config=gc.ConfigProto(intra_op_parallelism_threads=threads)) as session:
                results.append(session.run(fetches, {fed: x if wide else x.transpose(0, 3, 1, 2)}))
    for number, (found, wanted) in enumerate(zip(results[0], exact(x), strict=True)):
        if np.ndim(found) == 4 and not wide:
            found = found.transpose(0, 2, 3, 1)
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=2e-4 * max(np.abs(wanted).max(), 1), err_msg=number)
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_in_a_loop_and_twice_in_a_row() -> None:
    x = values(2, 4, 5, 6) * 2 + 1

    def norm(h: Any) -> Any:
        return gc.nn.fused_batch_norm(h, gc.fill([6], 1.5), gc.fill([6], 0.5), epsilon=0.01)[0]

    with gc.Graph().as_default():
        fed = gc.placeholder(gc.float32, [None, None, None, 6])
        _, looped = gc.while_loop(lambda i, h: i < 2, lambda i, h: (i + 1, norm(h) * 2.0), [gc.constant(0), fed])
        plain = norm(norm(fed) * 2.0) * 2.0
        with gc.Session() as session:
            found = session.run([looped, gc.gradients(gc.reduce_sum(gc.square(looped) * fed), fed)[0]], {fed: x})
            wanted = session.run([plain, gc.gradients(gc.reduce_sum(gc.square(plain) * fed), fed)[0]], {fed: x})
    for one, two in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-4)
    h = x.astype(np.float64)
    for _ in range(2):
        h = 2 * ((h - h.mean((0, 1, 2))) / np.sqrt(h.var((0, 1, 2)) + 0.01) * 1.5 + 0.5)
    np.testing.assert_allclose(found[0], h, rtol=1e-4, atol=1e-4)
