"""The base of all op classes: their declarations with what follows from them, and their fields. Op classes import it
through graphc/ir/op.py, whose header says what each declaration means."""
from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec

if TYPE_CHECKING:
    from graphc.ir.builder import GradientBuilder
    from graphc.ir.graph import Operation, Tensor
    from graphc.ir.steps import A, StepBuilder

Arrays = Any   # an array or a tuple of arrays


class Effect(Enum):
    PURE = "pure"
    READ = "read"
    WRITE = "write"
    RANDOM = "random"
    HOST = "host"


@dataclass(frozen=True)
class Sample:
    """One use of an op, from which every test and micro-benchmark of it is made.

    attributes are the fields. inputs are shapes (filled with random numbers of `dtypes[i]`, default float32) or
    arrays, for the operands that are no fields. tolerance is relative, to the largest value. gradient: whether to
    test
    the gradient (at points where the op is differentiable). low, high bound the random numbers.
    """

    attributes: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[Any, ...] = ()
    dtypes: tuple[DType | None, ...] = ()
    gradient: bool = True
    tolerance: float = 1e-5
    low: float = -1.0
    high: float = 1.0


def attr(kind: str, default: Any = dataclasses.MISSING, name: str | None = None) -> Any:
    """A field that travels as an attribute of the NodeDef.

    kind: "bool", "int", "float", "string", "type" (DType), "shape", "tensor" (np.ndarray), "list(int)", "list(float)",
    "list(string)", "list(type)", "list(shape)", "func". name: the attribute's name in the .pb, if it
    is not the field's. A float is one of 32 bits, as files have it: what is saved computes the same.
    """
    return field(default=default, metadata={"kind": kind, "wire": name})


def operand_field(kind: str = "ints", default: Any = dataclasses.MISSING, dtype: str = "int32") -> Any:
    """A field that TF passes as an input tensor, under the operand of the same name.

    kind: "ints" (rank 1: a tuple), "int" (scalar), "pairs" (rank 2 with two columns: a tuple of pairs), "int_or_ints"
    (an axis list that may be a scalar: always given as a tuple), "shape" (rank 1: a tuple; the scalar -1: of unknown
    rank). dtype: which one numbers get that are given for it: a name, or the operand before it that has the same.
    """
    return field(default=default, metadata={"kind": kind, "operand": True, "dtype": dtype})


@dataclass(frozen=True)
class Permuted:
    """An op with its axes renamed: op(transpose(x_i, inputs[i]) ...) = transpose(old op(x_i ...), outputs[j]).

    None instead of a permutation: that tensor stays as it is.
    """

    op: Op
    inputs: tuple[tuple[int, ...] | None, ...]
    outputs: tuple[tuple[int, ...] | None, ...]


# Every decorated subclass compares its own fields; one that is not decorated, or that says eq=False, is equal to itself
# alone. So no op can be taken for another one because a class forgot a field.
@dataclass(frozen=True, eq=False)
class Op:
    operands: ClassVar[tuple[str, ...]] = ()
    results: ClassVar[tuple[str, ...]] = ("y",)
    types: ClassVar[dict[str, str]] = {}
    same: ClassVar[tuple[str, ...] | None] = None
    refs: ClassVar[tuple[str, ...]] = ()
    constant_names: ClassVar[dict[str, str]] = {}
    effect: ClassVar[Effect] = Effect.PURE
    checks_data: ClassVar[bool] = False
    may_be_fed: ClassVar[bool] = False
    drops_ones: ClassVar[bool] = False
    neutral_operand: ClassVar[tuple[float, tuple[int, ...]] | None] = None
    homogeneous: ClassVar[bool] = False
    self_inverse: ClassVar[bool] = False
    of_one: ClassVar[bool] = False
    keeps_order: ClassVar[bool] = False
    usual_rank: ClassVar[int | None] = None
    overwrites: ClassVar[int | None] = None
    refusal: ClassVar[str] = "a value is not valid"
    moves: ClassVar[bool] = False
    takes_halves: ClassVar[bool] = False
    of_complex: ClassVar[str] = ""
    samples: ClassVar[Sequence[Sample]] = ()
    type: ClassVar[str]
    floats: ClassVar[tuple[str, ...]] = ()       # fields that are floats (made by `register`)
    _field_operands: ClassVar[tuple[str, ...]]   # of this very class, once somebody asked

    def __post_init__(self) -> None:
        for name in self.floats:
            value = getattr(self, name)
            kept = tuple(map(_float32, value)) if isinstance(value, tuple) else _float32(value)
            object.__setattr__(self, name, kept)

    def infer(self, *inputs: Spec) -> Spec | tuple[Spec, ...]:
        """Spec(s) of the outputs. Raises ValueError (shapes) or TypeError (dtypes) for what the user got wrong."""
        raise NotImplementedError(f"{self.type}.infer")

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        """The outputs' dtypes where `infer` cannot be asked, as not even the number of a field's elements is known."""
        dtype: DType = self.dtype if hasattr(self, "dtype") else inputs[0].dtype
        return (dtype,) * len(self.results)

    def reference(self, *inputs: np.ndarray) -> Arrays:
        """The meaning in NumPy alone: it is the oracle of what the rest of the class says, so it may not use that.

        Fields hold no symbols here (see `with_sizes`). Of an op with refs: the new values of the refs, in their order.
        """
        raise NotImplementedError(f"{self.type}.reference")

    def grad(self, g: GradientBuilder, node: Operation, *dys: Tensor | None) -> Sequence[Tensor | None]:
        """Gradients for every TF input of `node` (None: not differentiable), made of ops by g (ir/builder.py)."""
        raise LookupError(f"no gradient is defined for op type {self.type}")

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        """The op with its axes renamed by perm, given its operands' ranks; None: layout matters to it."""
        return None

    def with_transposed(self, operand: int, dtype: DType) -> Op | None:
        """The op that gives the same result if this operand, of that dtype, comes with its last two axes exchanged."""
        return None

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        """Emits steps through the builder b (ir/steps.py)."""
        raise NotImplementedError(f"{self.type}.lower")

    # The rest follows from the declarations above.

    @classmethod
    def field_operands(cls) -> tuple[str, ...]:
        found: tuple[str, ...] | None = cls.__dict__.get("_field_operands")
        if found is None:
            found = cls._field_operands = tuple(f.name for f in dataclasses.fields(cls) if f.metadata.get("operand"))
        return found

    @classmethod
    def is_variadic(cls) -> bool:
        return any(name.endswith("*") for name in cls.operands)

    def sizes(self) -> tuple[Size, ...]:
        """Every size in a field, to be known before the op can run."""
        return tuple(s for f in dataclasses.fields(self) for s in _flatten(getattr(self, f.name))
                     if isinstance(s, dims.Dim))

    def with_sizes(self, values: dict[dims.Symbol, Size]) -> Op:
        """The op with symbols in its fields replaced."""
        if not self.sizes():
            return self
        changed = {f.name: _substitute(getattr(self, f.name), values) for f in dataclasses.fields(self)}
        return dataclasses.replace(self, **changed)


def _float32(value: float) -> float:
    return float(np.float32(value))


def _flatten(value: Any) -> Iterable[Any]:
    if isinstance(value, tuple):
        for element in value:
            yield from _flatten(element)
    else:
        yield value


def _substitute(value: Any, values: dict[dims.Symbol, Size]) -> Any:
    if isinstance(value, tuple):
        return tuple(_substitute(v, values) for v in value)
    return dims.substitute(value, values) if isinstance(value, dims.Dim) else value
