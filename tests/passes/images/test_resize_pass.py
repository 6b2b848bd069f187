"""resize: pictures of other sizes by kernels that mix lines, and what the ops' definitions say."""
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.passes.images.resize import resize

from checking import check_compiled, check_rewrite, flow_of, types

MODES: tuple[dict[str, bool], ...] = ({}, {"align_corners": True}, {"half_pixel_centers": True})
METHODS = {"_Interpolated": gc.image.resize_bilinear, "_BlendedCubic": gc.image.resize_bicubic,
           "_BlendedArea": gc.image.resize_area}


def pictures(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    return (np.random.default_rng(1).random(shape) * 255).astype(dtype)


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("mode", MODES, ids=str)
@pytest.mark.parametrize("shape, size", [((2, 17, 31, 3), (31, 17)), ((1, 5, 65, 1), (3, 3)), ((3, 7, 6, 17), (7, 1)),
                                        ((1, 1, 33, 5), (4, 33)), ((0, 3, 4, 3), (5, 5))])
@pytest.mark.parametrize("known", [True, False])
def test_values(kind: str, mode: dict[str, bool], shape: tuple[int, ...], size: tuple[int, int], known: bool) -> None:
    if kind == "_BlendedArea" and "half_pixel_centers" in mode:
        return
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, shape if known else [None] * 4)
        y = METHODS[kind](x, size, **mode)
        after = check_rewrite(flow_of([y], [x]), resize, [pictures(*shape) / 255])
        assert (kind in types(after)) == (kind != "_BlendedArea" or not mode)
        check_compiled([gc.square(gc.nn.relu(y) * 2.0 + 1.0)], [x], [pictures(*shape) / 255])


@pytest.mark.parametrize("kind", METHODS)
def test_bytes_and_sizes_that_are_fed(kind: str) -> None:
    with gc.Graph().as_default():
        x, size = gc.placeholder(gc.uint8, [None, None, None, 3]), gc.placeholder(gc.int32, [2])
        for to in ((9, 40), size):
            fed = [pictures(2, 31, 17, 3, dtype=np.uint8), np.array([9, 40], np.int32)]
            feeds = [x, size] if to is size else [x]
            check_compiled([METHODS[kind](x, to)], feeds, fed[:len(feeds)], tolerance=1e-3)


def test_a_mean_over_an_area_is_a_mean() -> None:
    """Whole areas, and an axis that is all one area; a picture of one value stays that."""
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [None, None, None, None])
        a = pictures(2, 64, 96, 3)
        with gc.Session() as session:
            found = session.run(gc.image.resize_area(x, [16, 1]), {x: a})
            np.testing.assert_allclose(found, a.reshape(2, 16, 4, 96, 3).mean((2, 3))[:, :, None], rtol=1e-5)
            for kind, method in METHODS.items():
                same = session.run(method(x, [33, 50]), {x: np.full((1, 64, 96, 3), 0.1, np.float32)})
                limit = 0 if kind == "_Interpolated" else 1e-5
                np.testing.assert_allclose(same, np.full_like(same, 0.1), rtol=limit)


def test_in_a_loop_and_its_gradient() -> None:
    with gc.Graph().as_default():
        x = gc.placeholder(gc.float32, [1, 8, 9, 3])

        def body(i: Any, a: Any) -> tuple[Any, Any]:
            return i + 1, gc.image.resize_bilinear(gc.image.resize_bicubic(a, [5, 17]), [8, 9]) + x

        y = gc.while_loop(lambda i, a: i < 3, body, [0, x])[1]
        check_compiled([y, *gc.gradients(gc.reduce_sum(y * y), [x])], [x], [pictures(1, 8, 9, 3) / 255],
                       tolerance=1e-3)
