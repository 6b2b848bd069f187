"""Convolutions in groups and their gradients on the device, against the CPU's."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.exec.cuda.calls import convolutions, products

from on_both import check_close

RANDOM = np.random.default_rng(6)


def numbers(*shape: int, dtype: str = "float32") -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(dtype)


def check(groups: int, channels: int, results: int, kernel: Any, strides: Any, padding: str, dilation: Any = (1, 1),
          pictures: Any = (2, 7, 6), dtype: str = "float32", tolerance: float = 1e-4) -> None:
    """channels, results: of a group."""
    weights = [*kernel, channels, groups * results]

    def build() -> Any:
        kind = getattr(gc, dtype)
        x, f = gc.placeholder(kind, [None, None, pictures[2], groups * channels]), gc.placeholder(kind, weights)
        y = gc.nn.conv2d(x, f, [1, *strides, 1], padding, dilations=[1, *dilation, 1])
        return [y, gc.nn.relu(y + 0.5), *gc.gradients(gc.reduce_sum(y * y), [x, f])]

    check_close(build, numbers(*pictures, groups * channels, dtype=dtype), numbers(*weights, dtype=dtype),
                tolerance=tolerance)


@pytest.mark.parametrize(("groups", "channels", "results", "kernel", "strides", "padding", "dilation"), [
    (2, 3, 2, (3, 3), (1, 1), "SAME", (1, 1)), (3, 1, 2, (2, 3), (2, 1), "VALID", (1, 1)),
    (4, 4, 4, (1, 1), (1, 1), "SAME", (1, 1)), (4, 4, 4, (3, 2), (1, 1), "SAME", (2, 2)),
    (2, 17, 5, (2, 1), (1, 1), "VALID", (1, 1))])
def test_groups_and_gradients(device: Any, groups: int, channels: int, results: int, kernel: Any, strides: Any,
                              padding: str, dilation: Any) -> None:
    check(groups, channels, results, kernel, strides, padding, dilation)


@pytest.mark.parametrize("moved", [1e-9, 1e9], ids=["by windows", "by columns"])
@pytest.mark.parametrize(("dtype", "channels"), [("float32", 3), ("float64", 2)])
def test_either_way_of_the_gradient_for_the_input(device: Any, moved: float, dtype: str, channels: int,
                                                  monkeypatch: Any) -> None:
    monkeypatch.setattr(convolutions, "MOVED", moved)
    if moved > 1:
        monkeypatch.setattr(convolutions, "cost", lambda call, factors: float(not factors.transpose_b))
    check(2, channels, 5, (3, 2), (2, 3), "SAME", dtype=dtype)


def test_groups_one_by_one_where_pixels_are_many_and_cut_along_them(device: Any, monkeypatch: Any) -> None:
    parts, cut = [], products._divided

    def noted(call: Any, factors: Any, *rest: Any) -> Any:
        found = cut(call, factors, *rest)
        parts.append((factors.spaced is not None, found[1]))
        return found

    monkeypatch.setattr(products, "_divided", noted)
    monkeypatch.setattr(products, "ADDING", 0.0)
    check(2, 2, 3, (2, 1), (1, 1), "VALID", pictures=(1, 24, 24), tolerance=1e-3)
    check(2, 2, 3, (1, 1), (1, 1), "VALID", pictures=(1, 24, 24), tolerance=1e-3)
    assert any(spaced and count > 1 for spaced, count in parts)


@pytest.mark.parametrize("empty", [(0, 7, 6), (2, 0, 6)])
def test_no_pictures(device: Any, empty: Any) -> None:
    check(2, 3, 2, (3, 3), (1, 1), "SAME", pictures=empty)


@pytest.mark.parametrize("precision", [0, 1])
def test_groups_on_tensor_cores(ampere: Any, precision: int) -> None:
    """Of numbers that tensor cores do not round: the CPU's results, but for the order of sums."""
    weights = np.round(numbers(3, 3, 20, 2 * 18) * 8) / 8
    pictures = np.round(numbers(1, 6, 5, 40) * 8) / 8
    found = []
    for where in ("/cpu:0", "/gpu:0"):
        graph = gc.Graph()
        with graph.as_default(), graph.device(where):
            x, f = gc.placeholder(gc.float32, [None, 6, 5, 40]), gc.placeholder(gc.float32, weights.shape)
            y = gc.nn.conv2d(x, f, [1, 1, 1, 1], "SAME")
            config = gc.ConfigProto()
            config.graph_options.rewrite_options.auto_mixed_precision = precision
            with gc.Session(config=config) as session:
                found.append(session.run([y, *gc.gradients(y, [x, f])], {x: pictures, f: weights}))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
