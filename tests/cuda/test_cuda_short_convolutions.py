"""Convolutions whose pictures, filters and results are 16-bit floats in memory on a GPU with tensor cores: forward and
both gradients, right to the bit where sums are exact, and which of them do not fit."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.cuda import frame
from graphc.exec.cuda.calls import convolutions, products
from graphc.plan import plan as p

from on_both import results

RANDOM = np.random.default_rng(31)
SHORT = ("bf16", "bf16", "bf16")


def exact(*shape: int, dtype: Any = gc.bfloat16) -> np.ndarray:
    """Numbers whose sums of products float32 has in any order, and 16-bit floats after some additions."""
    return RANDOM.integers(-2, 3, shape).astype(dtype.as_numpy_dtype) / dtype.as_numpy_dtype(2)


def kernels_noted(monkeypatch: Any) -> list[tuple[str, ...]]:
    """What the convolutions of each part that is bound have in memory."""
    found: list[tuple[str, ...]] = []
    before = frame.narrowed

    def narrowed(plan: p.Plan, part: Any, dims: Any) -> Any:
        plan, part = before(plan, part, dims)
        body = plan.bodies[part.body]
        found.extend(tuple(body.buffers[b].dtype for b in step.operands) for step in map(
            body.steps.__getitem__, part.steps) if isinstance(step, p.Call) and "conv2d" in step.kernel)
        return plan, part

    monkeypatch.setattr(frame, "narrowed", narrowed)
    return found


def check(monkeypatch: Any, pictures: Any, weights: Any, strides: Any = (1, 1), padding: Any = "SAME",
          dilation: Any = (1, 1), dtype: Any = gc.bfloat16, strange: bool = False) -> list[tuple[str, ...]]:
    """A convolution and its gradients have the CPU's bits, which has no transforms for filters of 3 x 2; what they
    have in memory."""
    def build() -> Any:
        x, f = gc.placeholder(dtype, [None, *pictures[1:]]), gc.placeholder(dtype, weights)
        y = gc.nn.conv2d(x, f, [1, *strides, 1], padding, dilations=[1, *dilation, 1])
        dx, df = gc.gradients(y, [x, f], gc.sign(y) * gc.constant(0.5, dtype))
        return [gc.cast(one, gc.float32) for one in (y, dx, df)]

    feeds = [exact(*pictures, dtype=dtype), exact(*weights, dtype=dtype)]
    if strange:
        feeds[1][0, 0, 0, 0], feeds[1][-1, -1, 1, 2] = np.inf, np.nan
    found = kernels_noted(monkeypatch)
    for ours, theirs in zip(results("/gpu:0", build, feeds), results("/cpu:0", build, feeds), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    return found


@pytest.mark.parametrize(("pictures", "weights", "how"), [
    ((2, 5, 7, 16), (3, 2, 16, 24), {}),
    ((1, 9, 8, 24), (2, 3, 24, 16), {"strides": (2, 1)}),
    ((3, 4, 5, 16), (1, 1, 16, 40), {}),
    ((1, 8, 8, 16), (3, 2, 16, 16), {"dilation": (2, 3)}),
    ((2, 6, 5, 32), (3, 3, 16, 48), {}),
    ((1, 7, 6, 16), (3, 2, 16, 16), {"padding": "VALID", "dtype": gc.float16})])
def test_convolutions_and_gradients(ampere: Any, monkeypatch: Any, pictures: Any, weights: Any, how: Any) -> None:
    found = check(monkeypatch, pictures, weights, **how)
    kind = "f16" if "dtype" in how else "bf16"
    assert found == [(kind, kind, kind)] * 3


def test_large_tiles(quick_ampere: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(products, "MULTIPROCESSORS", 1)
    assert check(monkeypatch, (1, 12, 12, 16), (3, 2, 16, 136)) == [SHORT] * 3


@pytest.mark.parametrize("by_columns", [False, True])
def test_either_way_of_the_gradient_for_the_input(quick_ampere: Any, monkeypatch: Any, by_columns: bool) -> None:
    monkeypatch.setattr(convolutions, "cost", lambda call, factors: float(factors.transpose_b != by_columns))
    monkeypatch.setattr(convolutions, "MOVED", 1e9)
    assert check(monkeypatch, (2, 7, 6, 16), (3, 2, 16, 24), strides=(2, 2)) == [SHORT] * 3


def test_parts_of_a_long_filter_gradient_are_rounded_once(quick_ampere: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(products, "ADDING", 0.0)
    assert check(monkeypatch, (4, 16, 16, 16), (1, 3, 16, 16)) == [SHORT] * 3


@pytest.mark.parametrize("dtype", [gc.bfloat16, gc.float16])
def test_padding_takes_no_part(quick_ampere: Any, monkeypatch: Any, dtype: Any) -> None:
    """Of filters with infinities, whose products with the zeros around a picture would be NaN."""
    check(monkeypatch, (1, 5, 5, 16), (3, 2, 16, 16), dtype=dtype, strange=True)


@pytest.mark.parametrize(("pictures", "weights"), [((2, 5, 5, 12), (3, 3, 12, 16)), ((2, 5, 5, 16), (3, 3, 16, 17)),
                                                   ((1, 3, 3, 16), (1, 1, 16, 16)), ((1, 1, 3, 3), (7, 7, 3, 16))])
def test_sizes_that_do_not_fit(quick_ampere: Any, monkeypatch: Any, pictures: Any, weights: Any) -> None:
    assert set(check(monkeypatch, pictures, weights)) == {("f32",) * 3}


@pytest.mark.parametrize("pictures", [(0, 5, 5, 16), (2, 0, 5, 16)])
def test_no_pictures(quick_ampere: Any, monkeypatch: Any, pictures: Any) -> None:
    check(monkeypatch, pictures, (3, 3, 16, 16))
