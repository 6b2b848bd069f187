"""What max and average pooling share: attributes, shapes, the change of data format, cases for samples.

NCHW is turned to NHWC by the layout pass through `permuted`; lowering knows NHWC only.
"""
from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from graphc.ir.dims import Size
from graphc.ir.op import Op, Permuted
from graphc.ir.spec import Shape, Spec, require_equal, text
from graphc.ops.nn.convolution import spatial_list
from graphc.ops.nn.window import (
    TO_NCHW,
    TO_NHWC,
    Axis,
    axes,
    check_format,
    check_list,
    spatial_axes,
    swapped,
    swapped_list,
)

# picture (NHWC), window, strides, padding
CASES: tuple[tuple[Any, ...], ...] = (
    ((2, 6, 8, 3), (2, 2), (2, 2), "VALID"),
    ((2, 5, 7, 3), (2, 2), (2, 2), "SAME"),
    ((1, 7, 6, 17), (3, 3), (1, 1), "SAME"),
    ((3, 9, 5, 1), (3, 2), (2, 1), "SAME"),
    ((1, 9, 8, 2), (2, 3), (3, 2), "VALID"),
    ((0, 4, 4, 2), (2, 2), (2, 2), "SAME"),
    ((2, 4, 4, 65), (4, 4), (1, 1), "VALID"),
)


def sample_shapes(case: tuple[Any, ...], data_format: str) -> tuple[Shape, Shape]:
    """The shapes of picture and result of a case."""
    x, window, strides, padding = case
    height, width = axes(x, window, (1, *strides, 1), (), padding, (), "NHWC")
    y = (x[0], height.output, width.output, x[3])
    return (swapped_list(x, TO_NCHW), swapped_list(y, TO_NCHW)) if data_format == "NCHW" else (x, y)


def sample_attributes(case: tuple[Any, ...], data_format: str) -> dict[str, Any]:
    _, window, strides, padding = case
    ksize, steps = (1, *window, 1), (1, *strides, 1)
    if data_format == "NCHW":
        ksize, steps = swapped_list(ksize, TO_NCHW), swapped_list(steps, TO_NCHW)
    return {"ksize": ksize, "strides": steps, "padding": padding, "data_format": data_format}


def distinct(shape: Shape, seed: int = 0) -> np.ndarray:
    """Different values a step of 0.1 apart, so that finite differences never cross a tie."""
    count = int(np.prod(shape))
    return (np.random.default_rng(seed).permutation(count).astype(np.float32) * np.float32(0.1)).reshape(shape)


ALL_CASES = [(case, f) for case in CASES for f in ("NHWC", "NCHW")]


class Pooling(Op):
    """What the five ops share. Their attributes are the same."""

    def spatial(self, picture: Shape) -> tuple[Axis, Axis]:
        check_format(self.data_format)
        check_list("ksize", self.ksize, self.data_format)
        check_list("strides", self.strides, self.data_format)
        window = [self.ksize[a] for a in spatial_axes(self.data_format)]
        return axes(picture, window, self.strides, (), self.padding, (), self.data_format)

    def result_shape(self, picture: Shape) -> Shape:
        height, width = self.spatial(picture)
        if self.data_format == "NHWC":
            return picture[0], height.output, width.output, picture[3]
        return picture[0], picture[1], height.output, width.output

    def check_result(self, picture: Shape, name: str, given: Spec) -> None:
        """Raises ValueError unless `given` has the shape of the pooling's result."""
        self.check_shape(name, given, self.result_shape(picture), "the pooling's result")

    def check_shape(self, name: str, given: Spec, expected: Shape, of: str) -> None:
        """Raises ValueError unless `given` has the expected shape, that of what `of` says."""
        if given.shape is None:
            return
        try:
            for a, b in zip(given.shape, expected, strict=True):
                require_equal(a, b, f"shape of {name}")
        except ValueError:
            raise ValueError(f"{name} has shape {text(given.shape)}, but {of} has {text(expected)}") from None

    def attributes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("ksize", "strides", "padding", "data_format")}

    def swapped(self, perm: tuple[int, ...], **fields: Any) -> Any:
        """The op in the other data format, or None if perm is no change between the two."""
        data_format = swapped(self.data_format, perm)
        if data_format is None:
            return None
        return dataclasses.replace(self, data_format=data_format, ksize=swapped_list(self.ksize, perm),
                                   strides=swapped_list(self.strides, perm), **fields)

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        made = self.swapped(perm)
        return made and Permuted(made, (perm,) * len(ranks), (perm,))

    def kernel_arguments(self, picture: Shape, result: Shape, height: Axis, width: Axis,
                         pads: tuple[int, int]) -> dict[str, list[Size]]:
        return {"dims": [*picture, height.window, width.window, result[1], result[2]],
                "attrs": [height.stride, width.stride, *pads]}

    def nhwc(self, *arrays: np.ndarray) -> list[np.ndarray]:
        return [a.transpose(TO_NHWC) if self.data_format == "NCHW" else a for a in arrays]

    def back(self, array: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(array.transpose(TO_NCHW)) if self.data_format == "NCHW" else array


def inside(padded_array: np.ndarray, height: Axis, width: Axis) -> np.ndarray:
    """A padded NHWC array without its padding."""
    return padded_array[:, height.before:height.before + height.size, width.before:width.before + width.size]


def public_attributes(ksize: Any, strides: Any, padding: str, data_format: str | None) -> dict[str, Any]:
    data_format = data_format or "NHWC"
    if not isinstance(padding, str) or padding.upper() not in ("SAME", "VALID"):
        raise ValueError(f"padding must be \"SAME\" or \"VALID\", but is {padding!r}")
    return {
        "ksize": spatial_list(ksize, data_format, "ksize"),
        "strides": spatial_list(strides, data_format, "strides"),
        "padding": padding.upper(),
        "data_format": data_format,
    }
