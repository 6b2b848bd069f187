"""Ops that pass values on and say or check something of them: GuaranteeConst, Snapshot, IdentityN, EnsureShape,
CheckNumerics."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.errors import InvalidArgumentError
from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dtypes import DType, bool_, float32, float64, int32, int64
from graphc.ir.elementwise import check_dtype
from graphc.ir.op import Alias, Composite, Effect, Op, Permuted, Sample, attr, register
from graphc.ir.spec import Shape, Spec, require_equal, text
from graphc.ir.tensor import Operation
from graphc.ops.array.refuse import counts_of

_SAMPLES = [Sample({}, ((2, 3, 5),), gradient=False), Sample({}, ((),), (float64,), gradient=False),
            Sample({}, ((0, 3),), gradient=False), Sample({}, ((17,),), (int64,), gradient=False),
            Sample({}, (np.array([True, False]),), (bool_,), gradient=False)]


class _Passing(Alias):
    """y = input: what the ops of one operand share."""

    operands = ("input",)
    results = ("output",)
    types: ClassVar = {"T": "input"}
    samples: ClassVar = _SAMPLES

    def infer(self, x: Spec) -> Spec:
        return x

    def reference(self, x: np.ndarray) -> np.ndarray:
        return x

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        return Permuted(self, (perm,), (perm,))


@register
class GuaranteeConst(_Passing):
    """y = input, of which the user says that it never changes."""


@register
class Snapshot(_Passing):
    """y = input."""


@register
class IdentityN(Composite):
    """The inputs, none of which is ready before all are."""

    operands = ("input*",)
    results = ("output*",)
    T: tuple[DType, ...] = attr("list(type)")
    samples: ClassVar = [Sample({"T": t}, s, t, gradient=set(t) == {float32}) for t, s in (
        ((float32,), ((2, 3),)), ((float32, float64), ((3,), ())), ((float32, float32), ((0, 2), (2, 5))),
        ((int32, float32), ((2, 3), (2,))))]

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        given = tuple(x.dtype for x in inputs)
        if given != tuple(self.T):
            raise TypeError(f"the inputs have dtypes {[d.name for d in given]}, but T says {[d.name for d in self.T]}")
        return inputs

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return tuple(self.T)

    def reference(self, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        return inputs

    def grad(self, g: GradientBuilder, node: Operation, *dys: Any) -> Sequence[Any]:
        return dys

    def expand(self, emit: Any, *inputs: Any) -> Any:
        return inputs


@register
class EnsureShape(_Passing):
    """y = input, whose shape must be what `shape` says; an error when run if it is not."""

    shape: Shape | None = attr("shape")
    samples: ClassVar = [Sample({"shape": w}, (s,), (d,)) for w, s, d in (
        ((2, 3, 5), (2, 3, 5), None), ((), (), float64), ((0, 3), (0, 3), None), (None, (2, 3), int64))]

    def infer(self, x: Spec) -> Spec:
        if self.shape is None:
            return x
        if x.shape is None:
            return Spec(x.dtype, self.shape)
        message = f"a tensor of shape {text(x.shape)} is not compatible with expected shape {text(self.shape)}"
        if len(x.shape) != len(self.shape):
            raise ValueError(f"{message}: the ranks differ")
        sizes = []
        for have, want in zip(x.shape, self.shape, strict=True):
            # A size that the attribute leaves open is a symbol that nothing binds.
            sizes.append(require_equal(have, want, message) if isinstance(want, int) else have)
        return Spec(x.dtype, tuple(sizes)).with_value(x.value)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [dy]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        if self.shape is None or perm == tuple(range(len(perm))):
            return Permuted(self, (perm,), (perm,))
        return Permuted(EnsureShape(tuple(self.shape[p] for p in perm)), (perm,), (perm,))


@register
class CheckNumerics(Op):
    """y = tensor; NaN or infinity in it ends the run with `message`."""

    checks_data = True
    effect = Effect.HOST          # as Assert: it runs if anything waits for it, and keeps its place
    operands = ("tensor",)
    results = ("output",)
    types: ClassVar = {"T": "tensor"}
    message: str = attr("string")
    samples: ClassVar = [Sample({"message": "checked"}, (s,), (d,)) for s, d in (
        ((2, 3, 5), None), ((), float64), ((0, 3), None), ((65,), None))]

    def infer(self, x: Spec) -> Spec:
        check_dtype(self, "tensor", x.dtype, "floating")
        return x

    def reference(self, x: np.ndarray) -> np.ndarray:
        kinds = [name for name, found in (("Inf", np.isinf(x)), ("NaN", np.isnan(x))) if found.any()]
        if kinds:
            raise InvalidArgumentError(f"{self.message} : Tensor had {' and '.join(kinds)} values")
        return x

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.check_numerics(dy, message="Not a number (NaN) or infinity (Inf) values detected in gradient. "
                                 f"{node.name}")]

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x = inputs[0]
        missing, infinite = counts_of(b, [
            lambda s, v: s("not_equal", v, v), lambda s, v: s("equal", s("abs", v), s.constant(np.inf, x.dtype))],
            [x], x.shape)
        both = dims.minimum(missing, 1) * dims.minimum(infinite, 1)
        for count, kind in ((both, "Inf and NaN"), (missing, "NaN"), (infinite, "Inf")):
            b.require("equal", count, 0, f"{self.message} : Tensor had {kind} values; their number, and how many there "
                      "may be")
        b.copy(x, outputs[0])
