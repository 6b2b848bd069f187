"""What the optimizers' update ops share: the shapes of their operands, and updates of some rows.

An update of rows (SparseApplyX) is the dense one of the rows that are named; a row named several times gets the sum of
its gradients, once. (TensorFlow's op applies one gradient after the other, but its optimizers sum them before, so that
the op never sees a row twice.)
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from graphc.ir.dtypes import DType, int64
from graphc.ir.elementwise import check_kind
from graphc.ir.op import OPS, Composite, Effect, Op, Sample, attr
from graphc.ir.records import dataclass
from graphc.ir.spec import Shape, Spec, require_equal, text
from graphc.ops.array.scatter import _CheckedIndices, _Scattered
from graphc.ops.training.rows import _SumEqual, check_indices, check_rows

SHAPES = ((), (17,), (2, 3, 5), (65,))
INTEGERS = ("global_step",)               # scalars that count, int64 whatever the variable is


@dataclass(frozen=True)
class Update(Composite):
    """The base of the dense updates. `expand` gives the new values of the refs, `reference` too, in float64."""

    results = ("out",)
    types: ClassVar = {"T": "var"}
    refs = ("var",)
    effect = Effect.WRITE
    use_locking: bool = attr("bool", False)

    def infer(self, *inputs: Spec) -> Spec:
        return check(self, dict(zip(self.operands, inputs, strict=True)))

    def reference(self, *inputs: np.ndarray) -> Any:
        new = self.formula(*[np.asarray(x, np.float64) for x in inputs])
        return tuple(np.asarray(b, a.dtype) for a, b in zip(inputs, new, strict=False))

    def formula(self, *inputs: np.ndarray) -> Sequence[np.ndarray]:
        """The new values of the refs, as the papers write them."""
        raise NotImplementedError(f"{self.type}.formula")


@dataclass(frozen=True)
class SparseUpdate(Composite):
    """The base of the updates of rows; `dense` is the op type of the update of a whole variable."""

    dense: ClassVar[str]
    results = ("out",)
    types: ClassVar = {"T": "var", "Tindices": "indices"}
    effect = Effect.WRITE
    use_locking: bool = attr("bool", False)

    def infer(self, *inputs: Spec) -> Spec:
        return check(self, dict(zip(self.operands, inputs, strict=True)))

    def reference(self, *inputs: np.ndarray) -> Any:
        given = dict(zip(self.operands, inputs, strict=True))
        rows, place = np.unique(given["indices"], return_inverse=True)
        sums = np.zeros((len(rows), *given["grad"].shape[1:]))
        np.add.at(sums, place.ravel(), given["grad"].astype(np.float64))
        whole = {**given, "grad": sums, "delta": sums, **{r: given[r][rows] for r in self.refs}}
        op: Any = OPS[self.dense](**vars(self))
        changed = op.reference(*[whole[o] for o in op.operands])
        results = [given[r].copy() for r in self.refs]
        for result, values in zip(results, changed, strict=True):
            result[rows] = values
        return tuple(results)

    def expand(self, emit: Callable[..., Any], *inputs: Any) -> Any:
        given = dict(zip(self.operands, inputs, strict=True))
        indices = given["indices"]
        tuples = emit(OPS.make("Reshape", shape=(*indices.spec.shape, 1)), indices)
        checked = emit(_CheckedIndices(given["var"].spec.shape[:1]), tuples)
        sums = emit(_SumEqual(), given["grad"], indices)
        rows = {r: emit(OPS.make("GatherV2", axis=0), given[r], indices) for r in self.refs}
        whole = {**given, "grad": sums, "delta": sums, **rows}
        op: Any = OPS.make(self.dense, **vars(self))
        changed = op.expand(emit, *[whole[o] for o in op.operands])
        return tuple(given[r] if new is rows[r] else emit(_Scattered("update"), given[r], checked, new)
                     for r, new in zip(self.refs, changed, strict=True))


def check(op: Any, specs: dict[str, Spec]) -> Spec:
    """The updated variable's spec. Raises if a gradient or slot has another shape, a rate is no scalar, or dtypes
    differ."""
    ref = specs["var"]
    check_kind(op, (ref,), "floating")
    indices = specs.get("indices")
    if indices is not None:
        check_indices(op, indices, 1)
    for name, spec in specs.items():
        if name == "indices":
            continue
        wanted: DType = int64 if name in INTEGERS else ref.dtype
        if spec.dtype != wanted:
            raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but "
                            + ("must be int64" if name in INTEGERS else f"the variable has {ref.dtype.name}"))
        if name == "grad" and indices is not None:
            check_rows(ref.shape, indices.shape, spec.shape, name)
        elif name != "var":
            _check_shape(name, spec.shape, ref.shape if name in (*op.refs, "grad", "delta") else ())
    return ref


def _check_shape(name: str, shape: Shape | None, wanted: Shape | None) -> None:
    if wanted is None or shape is None:
        return
    message = f"argument '{name}' must have shape {text(wanted)}, but has {text(shape)}"
    if len(wanted) != len(shape):
        raise ValueError(message)
    for a, b in zip(wanted, shape, strict=True):
        try:
            require_equal(a, b, message)
        except ValueError:
            raise ValueError(message) from None


Names = Sequence[str]


def dense_samples(operands: Names, refs: Names, *attributes: dict[str, Any], shapes: Sequence[Shape] = SHAPES,
                  **more: Any) -> list[Sample]:
    """Samples of a dense update for each choice of attributes: positive numbers, for slots under roots."""
    return [_sample(operands, refs, a, s, None, more) for a in attributes or ({},) for s in shapes]


def sparse_samples(operands: Names, refs: Names, *attributes: dict[str, Any], **more: Any) -> list[Sample]:
    """Samples of an update of rows: some of them several times, none, all of a vector."""
    few, twice = np.array([3, 0], np.int32), np.array([1, 3, 1, 0, 3, 1], np.int64)
    first, last = (attributes or ({},))[0], (attributes or ({},))[-1]
    cases = [*((a, (5, 3), twice) for a in attributes or ({},)), (first, (4, 2, 3), few), (first, (4, 0), few),
             (first, (4, 3), few[:0]), (last, (17,), twice)]
    return [_sample(operands, refs, a, shape, indices, more) for a, shape, indices in cases]


def _sample(operands: Names, refs: Names, attributes: dict[str, Any], shape: Shape, indices: np.ndarray | None,
            more: dict[str, Any]) -> Sample:
    inputs: list[Any] = []
    for name in operands:
        if name in INTEGERS:
            inputs.append(np.array(2, np.int64))
        elif name == "indices":
            inputs.append(indices)
        elif name in ("grad", "delta"):
            inputs.append(shape if indices is None else (len(indices), *shape[1:]))
        else:
            inputs.append(shape if name in refs else ())
    return Sample(attributes, tuple(inputs), gradient=False, **{"low": 0.1, "high": 0.9, **more})


def emit_const(emit: Callable[..., Any], value: float, dtype: DType) -> Any:
    return emit(OPS.make("Const", value=np.asarray(value, dtype.numpy), dtype=dtype))


class Emit:
    """Arithmetic on the values of an expansion: e.mul(x, y) is emit(Mul(), x, y), numbers become constants."""

    def __init__(self, emit: Callable[..., Any], dtype: DType) -> None:
        self._emit, self._dtype = emit, dtype

    def __call__(self, op_type: str, *inputs: Any) -> Any:
        op: Op = OPS.make(op_type)
        return self._emit(op, *[emit_const(self._emit, x, self._dtype) if isinstance(x, (int, float)) else x
                                for x in inputs])

    def add(self, x: Any, y: Any) -> Any:
        return self("Add", x, y)

    def sub(self, x: Any, y: Any) -> Any:
        return self("Sub", x, y)

    def mul(self, x: Any, y: Any) -> Any:
        return self("Mul", x, y)

    def div(self, x: Any, y: Any) -> Any:
        return self("RealDiv", x, y)

    def square(self, x: Any) -> Any:
        return self("Mul", x, x)

    def mix(self, old: Any, rate: Any, new: Any) -> Any:
        """rate * old + (1 - rate) * new"""
        return self.add(self.mul(old, rate), self.mul(new, self.sub(1.0, rate)))
