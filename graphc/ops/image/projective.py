"""Pictures seen through a projective map: ImageProjectiveTransformV2.

A row of transforms [a0, a1, a2, b0, b1, b2, c0, c1] says where the pixel (x, y) of the result comes from:
((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k) with k = c0 x + c1 y + 1. What is outside of the picture is 0.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import WIDE, DType, bfloat16, float16, float32, float64, int32, int64, uint8
from graphc.ir.elementwise import check_rank
from graphc.ir.op import OPS, Composite, Elementwise, Op, Sample, attr, operand_field, register
from graphc.ir.spec import Spec, require_equal, require_less
from graphc.ir.tensor import Operation
from graphc.ops.math.unsorted_segments import _GatherKept

_TAKEN = (uint8, int32, int64, float16, bfloat16, float32, float64)
_COORDINATES = (np.array([0, 1, 2, 5], np.float32), np.array([[0], [3]], np.float32))


def check_dtypes(op: Op, inputs: Sequence[Spec], dtypes: Sequence[DType]) -> None:
    for name, spec, dtype in zip(op.operands, inputs, dtypes, strict=True):
        if spec.dtype != dtype:
            raise TypeError(f"argument '{name}' must be {dtype.name}, but is {spec.dtype.name}")


@register
class _Projected(Elementwise):
    """One coordinate of where the pixels (x, y) come from: (a x + b y + c) / (g x + h y + 1)."""

    operands = ("x", "y", "a", "b", "c", "g", "h")
    types: ClassVar = {}
    samples: ClassVar = [Sample({}, (*_COORDINATES, *(np.float32(v) for v in row)), gradient=False)
                         for row in ((0.5, -2, 3, 0.01, 0.125), (1, 0, 0, -1, 0))]

    def infer(self, *inputs: Spec) -> Spec:
        check_dtypes(self, inputs, (float32,) * 7)
        return super().infer(*inputs)

    def scalar(self, s: Any, *operands: Any) -> Any:
        x, y, a, b, c, g, h = operands
        top = s("add", s("add", s("mul", a, x), s("mul", b, y)), c)
        return s("div", top, s("add", s("add", s("mul", g, x), s("mul", h, y)), s.constant(1, float32)))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x, y, a, b, c, g, h = inputs
        with np.errstate(all="ignore"):
            return np.asarray((a * x + b * y + c) / (g * x + h * y + np.float32(1)))


@register
class _NearestWhole(Elementwise):
    """The nearest whole number, halves away from 0."""

    operands = ("x",)
    types: ClassVar = {}
    samples: ClassVar = [Sample({}, (np.array([-2.5, -0.5, -0.4999999, 0.49999997, 0.5, 1.5, 7, np.inf, np.nan],
                                              np.float32),), gradient=False)]

    def infer(self, *inputs: Spec) -> Spec:
        check_dtypes(self, inputs, (float32,))
        return super().infer(*inputs)

    def scalar(self, s: Any, *operands: Any) -> Any:
        x, size = operands[0], s("abs", operands[0])
        whole = s("floor", size)
        near = s("less", s("sub", size, whole), s.constant(0.5, float32))
        nearest = s("select", near, whole, s("add", whole, s.constant(1, float32)))
        return s("select", s("less", x, s.constant(0, float32)), s("neg", nearest), nearest)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x = inputs[0]
        with np.errstate(all="ignore"):
            whole = np.trunc(x)
            return np.where(np.abs(x - whole) < 0.5, whole, whole + np.where(x < 0, -1, 1)).astype(np.float32)


@register
class _PlaceInPictures(Elementwise):
    """The number of the pixel (x, y), both whole, of a picture among all pixels; -1 outside of it."""

    operands = ("y", "x", "picture", "height", "width")
    types: ClassVar = {}
    samples: ClassVar = [Sample({}, (np.array([0, 1, 2, -1, np.nan, 1e20], np.float32),
                                     np.array([[0], [2], [3], [-1]], np.float32), np.int64(2), np.int64(2),
                                     np.int64(3)), gradient=False)]

    def infer(self, *inputs: Spec) -> Spec:
        check_dtypes(self, inputs, (float32, float32, int64, int64, int64))
        return Spec(int64, super().infer(*(Spec(int64, x.shape) for x in inputs)).shape)

    def scalar(self, s: Any, *operands: Any) -> Any:
        y, x, picture, height, width = operands
        zero = s.constant(0, float32)

        def inside(at: Any, size: Any) -> Any:
            return s("and", s("less_equal", zero, at), s("less", at, s.cast(size, float32)))

        row = s("add", s("mul", picture, height), s.cast(y, int64))
        place = s("add", s("mul", row, width), s.cast(x, int64))
        return s("select", s("and", inside(y, height), inside(x, width)), place, s.constant(-1, int64))

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        y, x, picture, height, width = np.broadcast_arrays(*inputs)
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        rows, columns = (np.where(inside, v, 0).astype(np.int64) for v in (y, x))
        return np.where(inside, (picture * height + rows) * width + columns, -1)


_SHOWN = [0.8, -0.3, 0.4, 0.2, 0.9, -0.5, 0.01, -0.02]
_TURNED = [0.6, 0.8, -1, -0.8, 0.6, 3, 0, 0]


def _samples() -> list[Sample]:
    rows, two = np.array([_SHOWN], np.float32), np.array([_SHOWN, _TURNED], np.float32)
    made = [Sample({"interpolation": how, "output_shape": size}, (shape, t), gradient=False)
            for how in ("NEAREST", "BILINEAR")
            for size, shape, t in (((4, 6), (1, 4, 6, 1), rows), ((3, 2), (2, 4, 6, 3), two),
                                   ((2, 5), (2, 5, 3, 2), rows), ((3, 3), (0, 4, 6, 1), rows))]
    return made + [Sample({"interpolation": how, "output_shape": (4, 5)}, ((1, 4, 6, 2), rows), (d, None),
                          gradient=False, low=1, high=99)
                   for d in (uint8, int32, int64, float64) for how in ("NEAREST", "BILINEAR")]


@register
class ImageProjectiveTransformV2(Composite):
    """images [n, height, width, channels] in a new size, through n projective maps or one for all. What comes after
    transforms says how to fill: version 3 (projective_fill.py)."""

    operands = ("images", "transforms", "output_shape")
    results = ("transformed_images",)
    types: ClassVar = {"dtype": "images"}
    output_shape: tuple[Size, ...] = operand_field("ints")
    interpolation: str = attr("string")
    samples: ClassVar = _samples()

    def infer(self, images: Spec, transforms: Spec, *filling: Spec) -> Spec:
        if images.dtype not in _TAKEN:
            names = ", ".join(d.name for d in _TAKEN)
            raise TypeError(f"argument 'images' has dtype {images.dtype.name}, but must be one of {names}; cast it")
        if transforms.dtype != float32:
            raise TypeError(f"argument 'transforms' must be float32, but is {transforms.dtype.name}")
        if self.interpolation not in ("NEAREST", "BILINEAR"):
            raise ValueError(f"interpolation must be NEAREST or BILINEAR, not {self.interpolation!r}")
        check_rank("images", images, 4)
        check_rank("transforms", transforms, 2)
        if len(self.output_shape) != 2:
            raise ValueError(f"output_shape must have two elements, but has {len(self.output_shape)}")
        for size in self.output_shape:
            require_less(0, size, "output dimensions must be positive")
        count, channels = (None, None) if images.shape is None else (images.shape[0], images.shape[3])
        if transforms.shape is not None:
            message = "argument 'transforms' must have the shape [1, 8] or [number of images, 8]"
            require_equal(transforms.shape[1], 8, message)
            if count is not None and not dims.same(transforms.shape[0], 1):
                require_equal(_together(count, transforms.shape[0], message), count, message)
        if count is None or channels is None:
            return Spec(images.dtype, None)
        return Spec(images.dtype, (count, *self.output_shape, channels))

    def inside(self, emit: Callable[..., Any], at: Any, size: Any) -> Any:
        """Where to look in a picture of this size, a float32 scalar, for what lies at `at`."""
        return at

    def filled(self, emit: Callable[..., Any], found: Any, place: Any, *filling: Any) -> Any:
        """The pixels found at `place`, which is -1 where there is none."""
        return found

    def numpy_inside(self, at: np.ndarray, size: int) -> np.ndarray:
        return at

    def numpy_fill(self, *filling: np.ndarray) -> Any:
        return 0

    def reference(self, images: np.ndarray, transforms: np.ndarray, *filling: np.ndarray) -> np.ndarray:
        (n, height, width, channels), (rows, columns) = images.shape, self.output_shape
        y, x = (v.astype(np.float32) for v in np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"))
        made = np.zeros((n, rows, columns, channels), images.dtype)

        def read(i: int, at_y: np.ndarray, at_x: np.ndarray) -> np.ndarray:
            inside = (at_y >= 0) & (at_y < height) & (at_x >= 0) & (at_x < width)
            found = np.full((rows, columns, channels), self.numpy_fill(*filling), images.dtype)
            found[inside] = images[i, at_y[inside].astype(np.int64), at_x[inside].astype(np.int64)]
            return found

        for i in range(n):
            a, b, c, d, e, f, g, h = transforms[i if len(transforms) > 1 else 0]
            with np.errstate(all="ignore"):
                k = g * x + h * y + np.float32(1)
                from_x = self.numpy_inside((a * x + b * y + c) / k, width)
                from_y = self.numpy_inside((d * x + e * y + f) / k, height)
                if self.interpolation == "NEAREST":
                    nearest = _NearestWhole()
                    made[i] = read(i, nearest.reference(from_y), nearest.reference(from_x))
                    continue
                x0, y0 = np.floor(from_x), np.floor(from_y)
                right, low = (from_x - x0)[..., None], (from_y - y0)[..., None]
                left, high = (x0 + 1 - from_x)[..., None], (y0 + 1 - from_y)[..., None]
                upper = left * read(i, y0, x0).astype(np.float32) + right * read(i, y0, x0 + 1).astype(np.float32)
                lower = left * read(i, y0 + 1, x0).astype(np.float32) + right * read(i, y0 + 1, x0 + 1).astype(
                    np.float32)
                made[i] = (high * upper + low * lower).astype(images.dtype)
        return made

    def expand(self, emit: Callable[..., Any], images: Any, transforms: Any, *filling: Any) -> Any:
        dtype = images.spec.dtype
        n, height, width, channels = images.spec.shape
        flat = emit(OPS.make("Reshape", shape=(n * height * width, channels)), images)
        wide = float32 if self.interpolation == "BILINEAR" else dtype if dtype in WIDE else int32
        flat = flat if wide == dtype else emit(OPS.make("Cast", DstT=wide), flat)
        x, y = _coordinates(emit, self.output_shape, transforms)
        picture = emit(OPS.make("Reshape", shape=(n, 1, 1)), emit(OPS.make("Range", start=0, limit=n, delta=1,
                                                                          dtype=int64)))
        sizes = emit(OPS.make("Shape", out_type=int64), images)
        height_, width_ = (emit(OPS.make("Reshape", shape=()), emit(OPS.make("Slice", begin=(i,), size=(1,)), sizes))
                           for i in (1, 2))

        def read(at_y: Any, at_x: Any) -> Any:
            place = emit(_PlaceInPictures(), at_y, at_x, picture, height_, width_)
            return self.filled(emit, emit(_GatherKept(), flat, place), place, *filling)

        x, y = (self.inside(emit, at, emit(OPS.make("Cast", DstT=float32), size))
                for at, size in ((x, width_), (y, height_)))

        if self.interpolation == "NEAREST":
            made = read(emit(_NearestWhole(), y), emit(_NearestWhole(), x))
        else:
            made = _mixed(emit, read, y, x)
        return made if wide == dtype else emit(OPS.make("Cast", DstT=dtype), made)

    def inverse(self, g: GradientBuilder, node: Operation) -> Any:
        """The inverse maps."""
        transforms = node.inputs[1]
        ones = g.ones_like(transforms[:, :1])
        matrices = g.reshape(g.concat_v2([transforms, ones], 1), [-1, 3, 3])
        inverse = g.reshape(g.matrix_inverse(matrices), [-1, 9])
        return g.real_div(inverse, inverse[:, 8:9])[:, :8]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        """As TF has it: dy through the inverse maps, which is no exact gradient."""
        images, back = node.inputs[0], self.inverse(g, node)
        return [g.image_projective_transform_v2(dy, back, g.shape(images)[1:3], interpolation=self.interpolation), None,
                None]


def _together(a: Size, b: Size, message: str) -> Size:
    try:
        return dims.broadcast(a, b)
    except ValueError:
        raise ValueError(f"{message}: there are {b} for {a} images") from None


def _coordinates(emit: Callable[..., Any], sizes: Sequence[Size], transforms: Any) -> tuple[Any, Any]:
    """Where each pixel comes from: x and y, [number of transforms, rows, columns]."""
    def steps(size: Size, shape: tuple[Size, ...]) -> Any:
        made = emit(OPS.make("Range", start=0, limit=size, delta=1, dtype=int32))
        return emit(OPS.make("Reshape", shape=shape), emit(OPS.make("Cast", DstT=float32), made))

    rows, columns = sizes
    y, x = steps(rows, (rows, 1)), steps(columns, (columns,))
    count = transforms.spec.shape[0]
    p = [emit(OPS.make("Reshape", shape=(count, 1, 1)), emit(OPS.make("Slice", begin=(0, k), size=(count, 1)),
                                                             transforms)) for k in range(8)]
    return emit(_Projected(), x, y, *p[:3], *p[6:]), emit(_Projected(), x, y, *p[3:6], *p[6:])


def _mixed(emit: Callable[..., Any], read: Callable[..., Any], y: Any, x: Any) -> Any:
    """The four neighbours by their distances."""
    def op(op_type: str, *values: Any) -> Any:
        return emit(OPS.make(op_type), *values)

    one = emit(OPS.make("Const", value=np.array(1, np.float32), dtype=float32))
    x0, y0 = op("Floor", x), op("Floor", y)
    x1, y1 = op("Add", x0, one), op("Add", y0, one)
    left, right, high, low = (
        emit(OPS.make("Reshape", shape=(*v.spec.shape, 1)), v)
        for v in (op("Sub", x1, x), op("Sub", x, x0), op("Sub", y1, y), op("Sub", y, y0)))
    upper, lower = (op("Add", op("Mul", left, read(row, x0)), op("Mul", right, read(row, x1))) for row in (y0, y1))
    return op("Add", op("Mul", high, upper), op("Mul", low, lower))
