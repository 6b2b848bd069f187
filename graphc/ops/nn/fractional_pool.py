"""Fractional pooling (Graham, 2014): windows of two sizes in an order drawn at random, so that ratios are no integers.

The order of a draw is a function of (key, run, iteration); for a seed it is not TensorFlow's, what is made of it is.
NHWC only. Sizes of the result come from sizes in float32, as TensorFlow's do, so of unknown ones only a run knows them.
"""
from __future__ import annotations

import itertools
import math
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError, UnimplementedError
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType, float32, float64, int32, int64
from graphc.ir.elementwise import check_rank
from graphc.ir.known import own_symbol
from graphc.ir.op import Effect, Op, Sample, attr, operand_field, register, same_dtypes
from graphc.ir.spec import Shape, Spec, require_equal
from graphc.ops.nn.pooling import distinct
from graphc.ops.random.philox import uniform

_NUMBERS = (float32, float64, int32, int64)


def _check_pictures(op: Op, **pictures: Spec) -> None:
    for name, spec in pictures.items():
        if spec.dtype not in _NUMBERS:
            names = ", ".join(d.name for d in _NUMBERS)
            raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but {op.type} takes {names} only; cast it "
                            "(gc.cast)")
        check_rank(name, spec, 4)


def _output_size(size: Size, ratio: float, symbol: Size) -> Size:
    if not isinstance(size, int):
        return symbol
    found = int(np.floor(np.float32(size) / np.float32(ratio)))
    if found < 1:
        raise ValueError(f"pooling_ratio {ratio:g} is more than the picture's size {size}: nothing would be left")
    return found


def windows(edges: np.ndarray, size: int, overlapping: bool) -> list[slice]:
    """The rows (columns) of each window. Raises InvalidArgumentError if one is empty or lies outside."""
    made = [slice(int(a), min(int(b) + overlapping, size)) for a, b in itertools.pairwise(edges)]
    if any(w.start < 0 or w.start >= w.stop for w in made) or edges.max() > size:
        raise InvalidArgumentError("the pooling sequences must rise and stay inside of the picture")
    return made


def drawn_edges(size: int, count: int, pseudo: bool, u: np.ndarray) -> np.ndarray:
    """The definition: TensorFlow's two ways to order windows of size // count elements or one more."""
    if pseudo:
        alpha, least = size / count, size // count
        most = min((least + 2) / alpha - 1, (size + 1 - least) / alpha - (count - 1))
        inner = [math.ceil(alpha * (i + u[0] * most)) - 1 for i in range(1, count)]
        return np.array([0, *inner, size], np.int64)
    sizes = [size // count + (i < size % count) for i in range(count)]
    for i in range(count - 1):
        j = i + int(u[i] * (count - i))
        sizes[i], sizes[j] = sizes[j], sizes[i]
    return np.cumsum([0, *sizes]).astype(np.int64)


class _FractionalPool(Op):
    operands = ("value",)
    results = ("output", "row_pooling_sequence", "col_pooling_sequence")
    types: ClassVar = {"T": "value"}
    effect = Effect.RANDOM
    checks_data = True
    refusal = "pooling_ratio is more than the picture's size: nothing would be left"
    kernel: ClassVar[str]

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return inputs[0].dtype, int64, int64

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        value = inputs[0]
        _check_pictures(self, value=value)
        ratio = self.pooling_ratio
        if len(ratio) != 4:
            raise ValueError(f"pooling_ratio must be 4 numbers, but is {ratio}")
        if ratio[0] != 1 or ratio[3] != 1:
            raise UnimplementedError(f"{self.type}: pooling_ratio must be 1 along batch and channels, but is {ratio}")
        if not (1 <= ratio[1] < math.inf and 1 <= ratio[2] < math.inf):
            raise ValueError(f"pooling_ratio cannot be smaller than 1, but is {ratio}")
        if not self.deterministic and (self.seed or self.seed2):
            raise ValueError("seed and seed2 must be 0 if deterministic is False, but they are "
                             f"{self.seed} and {self.seed2}")
        sizes = (None, None) if value.shape is None else value.shape[1:3]
        high, wide = (_output_size(size, r, own_symbol(self, name))  # type: ignore[arg-type]
                      for size, r, name in zip(sizes, ratio[1:3], ("rows", "columns"), strict=True))
        made = None if value.shape is None else (value.shape[0], high, wide, value.shape[3])
        return Spec(value.dtype, made), Spec(int64, (high + 1,)), Spec(int64, (wide + 1,))

    def pooled(self, window: np.ndarray) -> np.ndarray:
        """The result of a window [batch, rows, columns, channels], of the reference."""
        raise NotImplementedError

    def reference(self, *inputs: np.ndarray, run: int = 0, iteration: int = 0) -> tuple[np.ndarray, ...]:
        x = inputs[0]
        if self.deterministic:
            run = iteration = 0
        edges = []
        for odd, size in enumerate(x.shape[1:3]):
            count = int(np.floor(np.float32(size) / np.float32(self.pooling_ratio[1 + odd])))
            u = uniform(self.key, run, iteration, 2 * count + 2, float64)[odd::2]
            edges.append(drawn_edges(size, count, self.pseudo_random, u))
        rows, columns = (windows(e, n, self.overlapping) for e, n in zip(edges, x.shape[1:3], strict=True))
        y = np.stack([np.stack([self.pooled(x[:, r, c]) for c in columns], 1) for r in rows], 1)
        return y.astype(x.dtype), *edges

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, (y, *edges) = inputs[0], outputs
        self.bind_sizes(b, x, y)
        counter = b.constant(np.zeros(2, np.int64)) if self.deterministic else b.counter()
        for odd, drawn in enumerate(edges):
            b.call("pooling_edges", [counter, drawn], [x.shape[1 + odd], y.shape[1 + odd]],
                   [int(self.pseudo_random), odd, self.key])
        b.call(self.kernel, [x, *edges, y], [*x.shape, *y.shape[1:3]], [int(self.overlapping)])

    def bind_sizes(self, b: Any, x: Any, y: Any) -> None:
        unknown = [axis for axis in (1, 2) if not isinstance(y.shape[axis], int)]
        if not unknown:
            return
        sizes, found = b.temporary(int64, (len(unknown),)), b.temporary(int64, (len(unknown),))
        b.store_sizes([x.shape[axis] for axis in unknown], sizes)
        ratios = b.constant(np.array([self.pooling_ratio[axis] for axis in unknown], np.float32))
        b.map(lambda s, n, r: s.cast(s("floor", s("div", s.cast(n, float32), r)), int64), [sizes, ratios], [found])
        b.bind(found, [y.shape[axis] for axis in unknown])


def _samples() -> list[Sample]:
    cases = (((2, 6, 8, 3), 1.44, 1.73, float32), ((1, 7, 9, 17), 1.0, 2.25, float32),
             ((3, 9, 5, 1), 3.0, 1.1, float64), ((0, 4, 5, 2), 1.5, 1.5, float32), ((1, 11, 3, 2), 1.1, 3.0, int32),
             ((2, 1, 4, 3), 1.0, 1.3, int64))
    return [Sample({"pooling_ratio": (1.0, high, wide, 1.0), "pseudo_random": i % 2 == 0, "overlapping": overlapping,
                    "deterministic": i % 3 == 0, "seed": 3 if i % 3 == 0 else 0, "key": 1234567 + i},
                   ((distinct(shape) * 10).astype(dtype.numpy) - 7,), gradient=False)
            for i, (shape, high, wide, dtype) in enumerate(cases) for overlapping in (False, True)]


@register
class FractionalMaxPool(_FractionalPool):
    """The largest element of each window"""

    kernel = "fractional_max_pool"
    pooling_ratio: tuple[float, ...] = attr("list(float)")
    pseudo_random: bool = attr("bool", False)
    overlapping: bool = attr("bool", False)
    deterministic: bool = attr("bool", False)
    seed: int = attr("int", 0)
    seed2: int = attr("int", 0)
    key: int = attr("int", 0, name="_key")
    samples = _samples()

    def pooled(self, window: np.ndarray) -> np.ndarray:
        return window.max((1, 2))

    def grad(self, g, node, *dys):
        if dys[0] is None:
            return [None]
        y, rows, columns = node.outputs
        return [g.fractional_max_pool_grad(node.inputs[0], y, dys[0], rows, columns, overlapping=self.overlapping)]


@register
class FractionalAvgPool(_FractionalPool):
    """The mean of each window"""

    kernel = "fractional_mean_pool"
    pooling_ratio: tuple[float, ...] = attr("list(float)")
    pseudo_random: bool = attr("bool", False)
    overlapping: bool = attr("bool", False)
    deterministic: bool = attr("bool", False)
    seed: int = attr("int", 0)
    seed2: int = attr("int", 0)
    key: int = attr("int", 0, name="_key")
    samples = _samples()

    def pooled(self, window: np.ndarray) -> np.ndarray:
        if window.dtype.kind == "f":
            return window.mean((1, 2), dtype=np.float64)
        return np.trunc(window.sum((1, 2)) / np.prod(window.shape[1:3]))

    def grad(self, g, node, *dys):
        if dys[0] is None:
            return [None]
        _, rows, columns = node.outputs
        shape = g.cast(g.shape(node.inputs[0]), int64)
        return [g.fractional_avg_pool_grad(shape, dys[0], rows, columns, overlapping=self.overlapping)]


class _FractionalGrad(Op):
    results = ("output",)
    checks_data = True
    refusal = "the pooling sequences must rise and stay inside of the picture"

    def check_sequences(self, pictures: Shape | None, dy: Spec, rows: Spec, columns: Spec) -> None:
        for name, spec in (("row_pooling_sequence", rows), ("col_pooling_sequence", columns)):
            if spec.dtype != int64:
                raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but must be int64; cast it (gc.cast)")
            check_rank(name, spec, 1)
        if dy.shape is None:
            return
        for name, spec, size in (("row_pooling_sequence", rows, dy.shape[1]),
                                 ("col_pooling_sequence", columns, dy.shape[2])):
            if spec.shape is not None:
                require_equal(spec.shape[0], size + 1, f"'{name}' must have one element more than out_backprop")
        if pictures is not None:
            for axis, what in ((0, "batch size"), (3, "number of channels")):
                require_equal(pictures[axis], dy.shape[axis], f"the picture and out_backprop must have one {what}")

    def places(self, rows: np.ndarray, columns: np.ndarray, shape: Any) -> Any:
        """(i, j, rows, columns) of each window, of the reference."""
        for i, r in enumerate(windows(rows, shape[1], self.overlapping)):
            for j, c in enumerate(windows(columns, shape[2], self.overlapping)):
                yield i, j, r, c


_EDGES = (((2, 6, 8, 3), (0, 1, 3, 4, 6), (0, 2, 4, 5, 7, 8)), ((1, 7, 5, 17), (0, 3, 5, 7), (0, 1, 3, 5)),
          ((1, 1, 4, 2), (0, 1), (0, 2, 4)), ((0, 4, 3, 2), (0, 2, 4), (0, 1, 3)))


def _gradient_cases(dtype: Any = np.float32) -> Any:
    """(picture, its gradient's shape, edges) of each sample."""
    for shape, rows, columns in _EDGES:
        picture = (distinct(shape) * 10).astype(dtype)
        yield picture, (shape[0], len(rows) - 1, len(columns) - 1, shape[3]), np.array(rows), np.array(columns)


@register
class FractionalMaxPoolGrad(_FractionalGrad):
    """Each window's gradient goes to its first largest element"""

    operands = ("orig_input", "orig_output", "out_backprop", "row_pooling_sequence", "col_pooling_sequence")
    types: ClassVar = {"T": "orig_input"}
    overlapping: bool = attr("bool", False)
    samples = []

    def infer(self, *inputs: Spec) -> Spec:
        x, y, dy, rows, columns = inputs
        _check_pictures(self, orig_input=x, orig_output=y, out_backprop=dy)
        same_dtypes(self, inputs[:3])
        self.check_sequences(x.shape, dy, rows, columns)
        if y.shape is not None and dy.shape is not None:
            for a, b in zip(y.shape, dy.shape, strict=True):
                require_equal(a, b, "'orig_output' and 'out_backprop' must have one shape")
        return Spec(x.dtype, x.shape)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        x, _, dy, rows, columns = inputs
        dx = np.zeros_like(x)
        for i, j, r, c in self.places(rows, columns, x.shape):
            window = x[:, r, c]
            flat = window.reshape(len(x), window.shape[1] * window.shape[2], x.shape[3])
            first = flat.argmax(1)      # of NaN, if there is one
            hit = (np.arange(flat.shape[1])[:, None] == first[:, None]).reshape(window.shape)
            dx[:, r, c] += np.where(hit, dy[:, i:i + 1, j:j + 1], 0).astype(x.dtype)
        return dx

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, _, dy, rows, columns = inputs
        b.call("fractional_max_pool_grad", [x, dy, rows, columns, outputs[0]], [*x.shape, *dy.shape[1:3]],
               [int(self.overlapping)])


@register
class FractionalAvgPoolGrad(_FractionalGrad):
    """Each window's gradient, in even parts to all of its elements"""

    operands = ("orig_input_tensor_shape", "out_backprop", "row_pooling_sequence", "col_pooling_sequence")
    types: ClassVar = {"T": "out_backprop"}
    orig_input_tensor_shape: tuple[Size, ...] = operand_field("ints", dtype="int64")
    overlapping: bool = attr("bool", False)
    samples = [Sample({"orig_input_tensor_shape": x.shape, "overlapping": overlapping}, (dy, rows, columns),
                      gradient=False) for overlapping in (False, True) for x, dy, rows, columns in _gradient_cases()]

    def infer(self, *inputs: Spec) -> Spec:
        dy, rows, columns = inputs
        _check_pictures(self, out_backprop=dy)
        shape = self.orig_input_tensor_shape
        if shape is not None and len(shape) != 4:
            raise ValueError(f"orig_input_tensor_shape must be 4 sizes, but is {shape}")
        self.check_sequences(shape, dy, rows, columns)
        return Spec(dy.dtype, shape)

    def reference(self, *inputs: np.ndarray) -> np.ndarray:
        dy, rows, columns = inputs
        dx = np.zeros([int(size) for size in self.orig_input_tensor_shape])  # type: ignore[call-overload]
        for i, j, r, c in self.places(rows, columns, dx.shape):
            dx[:, r, c] += dy[:, i:i + 1, j:j + 1].astype(np.float64) / dx[0:1, r, c, 0:1].size if dx.size else 0
        return dx.astype(dy.dtype)

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        dy, y = inputs[0], outputs[0]
        # Added up in float64 for every dtype, as TensorFlow does: integers are cut once.
        wide = b.temporary(float64, y.shape)
        b.call("fractional_mean_pool_grad", [*inputs, wide], [*y.shape, *dy.shape[1:3]], [int(self.overlapping)])
        b.map(lambda s, v: s.cast(v, y.dtype), [wide], [y])


def _max_gradient_samples() -> list[Sample]:
    """Samples whose orig_output is what pooling makes of orig_input."""
    made = []
    for overlapping in (False, True):
        for dtype in (np.float32, np.int32):
            for x, shape, rows, columns in _gradient_cases(dtype):
                y = np.zeros(shape, dtype)
                op = FractionalMaxPoolGrad(overlapping=overlapping)
                for i, j, r, c in op.places(rows, columns, x.shape):
                    y[:, i, j] = x[:, r, c].max((1, 2))
                made.append(Sample({"overlapping": overlapping}, (x, y, np.ones(shape, dtype), rows, columns),
                                   gradient=False))
    return made


FractionalMaxPoolGrad.samples = _max_gradient_samples()
