"""Fourier transforms of real numbers: RFFT, IRFFT and their kin.

The result along the last axis is the conjugate of itself reversed, so only the first fft_length // 2 + 1 numbers of it
are kept. Operands longer than fft_length are cut.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import COMPLEX, DType, complex64, complex128, float32, float64, int32
from graphc.ir.host import Host
from graphc.ir.known import require_nonnegative
from graphc.ir.op import Sample, attr, operand_field, register
from graphc.ir.spec import Spec, text
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.signal.by_kernel import known, transform
from graphc.ops.signal.fourier import by_definition, check_complex, check_rank, last_axes
from graphc.ops.signal.half_length import from_real, is_halved, to_real

# Of each rank, shapes and fft_lengths.
_LENGTHS: dict[int, list[tuple[tuple[int, ...], tuple[int, ...]]]] = {
    1: [((8,), (8,)), ((7,), (7,)), ((2, 6), (5,)), ((60,), (59,)), ((1,), (1,)), ((2, 3, 4), (2,)), ((0, 3), (3,)),
        ((3, 0), (0,))],
    2: [((4, 6), (4, 6)), ((3, 5), (3, 5)), ((2, 4, 5), (3, 4)), ((1, 1), (1, 1)), ((0, 3, 2), (3, 2))],
    3: [((2, 3, 4), (2, 3, 4)), ((2, 4, 2, 5), (3, 2, 3)), ((0, 1, 2, 2), (1, 2, 2))]}


def bins(count: Any) -> Any:
    """How many numbers tell the transform of `count` real ones: none of none."""
    return dims.floordiv(count, 2) + dims.minimum(count, 1)


class _RealFourier(Host):
    """What transforms from and to real numbers have in common."""

    operands = ("input", "fft_length")
    results = ("output",)
    rank: ClassVar[int]
    fft_length: tuple[Size, ...]

    def needed(self) -> tuple[Size, ...]:
        """The sizes that the last axes of the operand must have at least."""
        raise NotImplementedError

    def given(self) -> tuple[Size, ...]:
        """The sizes of the last axes of the result."""
        raise NotImplementedError

    def _shape(self, x: Spec) -> tuple[Size, ...] | None:
        check_rank(self, x, self.rank)
        if len(self.fft_length) != self.rank:
            raise ValueError(f"fft_length must have shape [{self.rank}], but has {len(self.fft_length)} elements")
        if any(isinstance(n, int) and n < 0 for n in self.fft_length):
            raise ValueError(f"fft_length must not be negative, but is {self.fft_length}")
        require_nonnegative(self.fft_length, "fft_length must not be negative")
        if x.shape is None:
            return None
        self._check(x.shape)
        return (*x.shape[:-self.rank], *self.given())

    def _check(self, shape: Sequence[Size]) -> None:
        """Empty operands pass; what cannot be told now is checked by `compute`."""
        for axis, least in zip(last_axes(self.rank), self.needed(), strict=True):
            found = shape[axis]
            if isinstance(found, int) and isinstance(least, int) and 0 < found < least:
                raise ValueError(f"Input dimension {len(shape) + axis} must have length of at least {least} but got: "
                                 f"{found}, as fft_length is {text(self.fft_length)}")

    def cut(self, x: np.ndarray) -> np.ndarray:
        self._check(x.shape)
        return x[(..., *(slice(n) for n in self.needed()))]

    def lower(self, b: Any, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        x, y = inputs[0], outputs[0]
        if not known((*self.fft_length, *x.shape[-self.rank:])):
            b.compute(self, inputs, outputs)
        elif 0 in (*self.fft_length, *x.shape[-self.rank:]):
            b.map(lambda s: s.constant(0, y.dtype), [], [y])
        else:
            self.lower_known(b, x.slice([0] * x.rank, [*x.shape[:-self.rank], *self.needed()]), y)

    def lower_known(self, b: Any, x: Any, y: Any) -> None:
        """The same of the numbers that are transformed; all sizes but those of the batch are known."""
        raise NotImplementedError(f"{self.type}.lower_known")


def _share(g: GradientBuilder, count: Tensor, length: Tensor, dtype: DType, inner: float) -> Tensor:
    """1 for numbers that are their own conjugates' (the first; the last if length is even), `inner` for the others."""
    twice = g.mul(g.range(g.constant(0, int32), count), g.constant(2, int32))
    single = g.equal(g.floor_mod(twice, length), g.constant(0, int32))
    ones = g.fill(g.reshape(count, [1]), g.constant(1, dtype))
    return g.select_v2(single, ones, g.scale(inner, ones))


def _grown(g: GradientBuilder, x: Tensor, like: Tensor, rank: int) -> Tensor:
    """x with zeros after it along the last `rank` axes, up to the shape of `like`."""
    known = [t.spec.static_shape for t in (x, like)]
    if known[0] is not None and known[1] is not None and known[0][-rank:] == known[1][-rank:] \
            and None not in known[0][-rank:]:
        return x
    missing = g.sub(g.shape(like)[-rank:], g.shape(x)[-rank:])
    zeros = g.zeros_like(missing)
    before = g.fill(g.pack([g.sub(g.rank(x), g.constant(rank, int32)), g.constant(2, int32)]), g.constant(0, int32))
    padded: Tensor = g.pad(x, g.concat_v2([before, g.pack([zeros, missing], axis=1)], 0))
    return padded


class _FromReal(_RealFourier):
    types: ClassVar = {"Treal": "input"}
    Tcomplex: DType

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.Tcomplex,)

    def needed(self) -> tuple[Size, ...]:
        return self.fft_length

    def given(self) -> tuple[Size, ...]:
        return (*self.fft_length[:-1], bins(self.fft_length[-1]))

    def infer(self, x: Spec, *fields: Spec) -> Spec:
        if x.dtype not in (float32, float64):
            raise TypeError(f"argument 'input' has dtype {x.dtype.name}, but {self.type} takes float32 and float64 "
                            "only; cast it (gc.cast)")
        if self.Tcomplex not in COMPLEX or self.Tcomplex.real_dtype != x.dtype:
            raise TypeError(f"{self.type} of {x.dtype.name} does not give {self.Tcomplex.name}")
        return Spec(self.Tcomplex, self._shape(x))

    def compute(self, x: np.ndarray) -> np.ndarray:
        part = self.cut(x)
        shape = (*x.shape[:-self.rank], *self.given())
        if part.size == 0:
            return np.zeros(shape, self.Tcomplex.numpy)
        return np.fft.rfftn(part, axes=last_axes(self.rank)).astype(self.Tcomplex.numpy, copy=False)

    def lower_known(self, b: Any, x: Any, y: Any) -> None:
        *others, last = last_axes(self.rank)
        if is_halved(x.shape[-1]):
            made = b.temporary(y.dtype, (*x.shape[:-1], y.shape[-1])) if others else y
            from_real(b, x, made)
        else:
            numbers = b.temporary(y.dtype, x.shape)
            b.map(lambda s, value: s.cast(value, y.dtype), [x], [numbers])
            made = transform(b, numbers, [last], False).slice([0] * x.rank, [*x.shape[:-1], y.shape[-1]])
        if made is not y:
            b.copy(transform(b, made, others, False), y)

    def reference(self, x: np.ndarray) -> np.ndarray:
        made = x[(..., *(slice(n) for n in self.fft_length))]
        if made.size == 0:
            return np.zeros((*x.shape[:-self.rank], *self.given()), self.Tcomplex.numpy)
        for axis in last_axes(self.rank):
            made = by_definition(made, axis, inverse=False)
        return made[..., :made.shape[-1] // 2 + 1].astype(self.Tcomplex.numpy)


class _FromRealBack(_FromReal):
    """With a gradient, which TF has of one and two axes."""

    opposite: ClassVar[str]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        x, length = node.inputs
        share = _share(g, g.shape(dy)[-1], length[-1], x.dtype, 0.5)
        back = getattr(g, self.opposite)(g.mul(dy, g.cast(share, dy.dtype)), length, Treal=x.dtype)
        return [_grown(g, g.mul(back, g.cast(g.prod(length, [0]), x.dtype)), x, self.rank), None]


class _ToReal(_RealFourier):
    types: ClassVar = {"Tcomplex": "input"}
    Treal: DType

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (self.Treal,)

    def needed(self) -> tuple[Size, ...]:
        return (*self.fft_length[:-1], bins(self.fft_length[-1]))

    def given(self) -> tuple[Size, ...]:
        return self.fft_length

    def infer(self, x: Spec, *fields: Spec) -> Spec:
        check_complex(self, x)
        if self.Treal != x.dtype.real_dtype:
            raise TypeError(f"{self.type} of {x.dtype.name} does not give {self.Treal.name}")
        return Spec(self.Treal, self._shape(x))

    def compute(self, x: np.ndarray) -> np.ndarray:
        part = self.cut(x)
        if part.size == 0 or 0 in self.fft_length:
            return np.zeros((*x.shape[:-self.rank], *self.fft_length), self.Treal.numpy)  # type: ignore[arg-type]
        made = np.fft.irfftn(part, self.fft_length, last_axes(self.rank))  # type: ignore[arg-type]
        return made.astype(self.Treal.numpy, copy=False)

    def lower_known(self, b: Any, x: Any, y: Any) -> None:
        *others, last = last_axes(self.rank)
        made = transform(b, x, others, True)
        if is_halved(y.shape[-1]):
            to_real(b, made, y)
            return
        whole, start, outer = b.temporary(x.dtype, y.shape), [0] * x.rank, [*x.shape[:-1]]
        given, missing = x.shape[-1], y.shape[-1] - x.shape[-1]
        b.copy(made, whole.slice(start, [*outer, given]))
        if missing > 0:           # the conjugates, in reverse order
            theirs = made.slice([*start[:-1], 1], [*outer, missing]).reverse([x.rank - 1])
            b.map(lambda s, value: s("conj", value), [theirs], [whole.slice([*start[:-1], given], [*outer, missing])])
        b.map(lambda s, value: s.cast(value, y.dtype), [transform(b, whole, [last], True)], [y])

    def reference(self, x: np.ndarray) -> np.ndarray:
        length: int = self.fft_length[-1]  # type: ignore[assignment]
        made = x[(..., *(slice(n) for n in self.fft_length[:-1]), slice(length // 2 + 1))]
        shape = (*x.shape[:-self.rank], *self.fft_length)
        if made.size == 0 or 0 in shape:
            return np.zeros(shape, self.Treal.numpy)  # type: ignore[arg-type]
        for axis in last_axes(self.rank)[:-1]:
            made = by_definition(made, axis, inverse=True)
        # What is not given are the conjugates, in reverse order, of all but the first, and the last of an even length.
        full = np.concatenate([made, np.conj(made[..., 1:(length + 1) // 2][..., ::-1])], -1)
        return by_definition(full, -1, inverse=True).real.astype(self.Treal.numpy)


class _ToRealBack(_ToReal):
    """With a gradient, which TF has of one and two axes."""

    opposite: ClassVar[str]

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        x, length = node.inputs
        back = getattr(g, self.opposite)(dy, length, Tcomplex=x.dtype)
        share = _share(g, g.shape(back)[-1], length[-1], dy.dtype, 2.0)
        share = g.real_div(share, g.cast(g.prod(length, [0]), dy.dtype))
        return [_grown(g, g.mul(back, g.cast(share, x.dtype)), x, self.rank), None]


def _real_samples(rank: int) -> list[Sample]:
    made = [Sample({"fft_length": n}, (s,), (float32,), gradient=False) for s, n in _LENGTHS[rank]]
    shape, length = _LENGTHS[rank][1]
    return [*made, Sample({"fft_length": length, "Tcomplex": complex128}, (shape,), (float64,), gradient=False)]


def _complex_samples(rank: int) -> list[Sample]:
    made = [Sample({"fft_length": n}, ((*s[:-1], bins(s[-1])),), (complex64,), gradient=False)
            for s, n in _LENGTHS[rank]]
    shape, length = _LENGTHS[rank][1]
    return [*made, Sample({"fft_length": length, "Treal": float64}, ((*shape[:-1], bins(shape[-1])),), (complex128,),
                          gradient=False)]


@register
class RFFT(_FromRealBack):
    """Of real numbers, over the last axis."""

    fft_length: tuple[Size, ...] = operand_field("ints")
    Tcomplex: DType = attr("type", complex64)
    rank, opposite, samples = 1, "irfft", _real_samples(1)


@register
class IRFFT(_ToRealBack):
    """The inverse, of which the result is real, over the last axis."""

    fft_length: tuple[Size, ...] = operand_field("ints")
    Treal: DType = attr("type", float32)
    rank, opposite, samples = 1, "rfft", _complex_samples(1)


@register
class RFFT2D(_FromRealBack):
    """Of real numbers, over the last two axes."""

    fft_length: tuple[Size, ...] = operand_field("ints")
    Tcomplex: DType = attr("type", complex64)
    rank, opposite, samples = 2, "irfft2d", _real_samples(2)


@register
class IRFFT2D(_ToRealBack):
    """The inverse, of which the result is real, over the last two axes."""

    fft_length: tuple[Size, ...] = operand_field("ints")
    Treal: DType = attr("type", float32)
    rank, opposite, samples = 2, "rfft2d", _complex_samples(2)


@register
class RFFT3D(_FromReal):
    """Of real numbers, over the last three axes. TF has no gradient of it."""

    fft_length: tuple[Size, ...] = operand_field("ints")
    Tcomplex: DType = attr("type", complex64)
    rank, samples = 3, _real_samples(3)


@register
class IRFFT3D(_ToReal):
    """The inverse, of which the result is real, over the last three axes. TF has no gradient of it."""

    fft_length: tuple[Size, ...] = operand_field("ints")
    Treal: DType = attr("type", float32)
    rank, samples = 3, _complex_samples(3)
