"""What an op is: one class, whose fields are its attributes.

A class derives from `Op` (or one of the kinds below), is decorated with `@register`, and declares

  operands    TF's inputs in TF's order; a name with a star ("values*") takes any number of tensors
  results     names of the outputs
  types       which attribute of the .pb holds which operand's dtype: {"T": "x"}; written on export, ignored on import
  same        the operands of one dtype, numbers among which take that of the first; None: those that ir/apply.py takes
              for such
  refs        operands that are variables (TF 1 reference inputs): the op writes them
  effect      PURE, READ (of state), WRITE (of state), RANDOM, HOST (Python, printing: order kept, at most once a run)
  refusal       what the error says when its kernel refuses a value (status INVALID_VALUE); {0} and {1} in it: the two
                numbers that the kernel gives with it
  takes_halves  numbers of 16 bits come as they are, not as float32
  moves       its `lower` looks at no element: it takes every dtype that has a size
  of_complex  how it is computed for complex numbers: "linear" in all its operands together, "bilinear" in its two
              (passes/number_types.py makes it of real ones), "itself": its `lower` takes them; "": not at all
  drops_ones    the rank of its result depends on which of its input's sizes are 1
  checks_data   its kernel may end the run because of what it finds in the data (an index out of range)
  usual_rank   of the result, if inference does not know it and nobody said it: what a plan is made for
  overwrites   the operand (its position) whose memory the result may take: `lower` gets one access for both then

and, where it is so, what the passes make use of (they ask no op's name):

  neutral_operand   (number, operands): filled with that number, any of these operands leaves the other one as it is
  homogeneous   op(x * f, y * f) is op(x, y) * f, for an f that broadcasts as y does
  self_inverse  op(op(x)) is x
  of_one        of one operand it is that operand
  keeps_order   the elements are the first operand's in their order, each maybe repeated: under that operand's shape the
                result is that operand
  with_transposed(i, dtype)   the op whose operand i is given with its last two axes exchanged
  Elementwise.fills, Reduction.keeps_single, View.permutation, Composite.expands_early

and its fields by `attr` (travels as an attribute), or by `operand_field` (TF passes it as an input tensor, but the
compiler must know it: axis, perm, shape, paddings; the value may hold symbolic sizes). `infer`, `lower`, `reference`
and `permuted` see only the operands that are no fields.

How an op is computed is said in exactly one way:
  Elementwise   scalar(): a scalar expression; broadcasting, fusion and kernels follow
  Reduction     combine (and map_element): one reduction over the axes
  View          view(): the same elements seen through other strides
  Alias         nothing: the same elements in the same order under another shape (Reshape, Squeeze, Identity)
  Composite     expand(): a few other ops
  Host          compute(): Python, by a library of arrays (ir/host.py)
  Op            lower(): kernel calls and maps
"""
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform

import numpy as np

from graphc.ir import dims
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType
from graphc.ir.late_imports import load
from graphc.ir.spec import Shape, Spec, broadcast_shapes

if TYPE_CHECKING:
    from graphc.ir.builder import GradientBuilder
    from graphc.ir.graph import Operation, Tensor
    from graphc.ir.node import Value
    from graphc.ir.steps import A, Emit, StepBuilder

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


class Scalars:
    """Interface of the builder handed to `Elementwise.scalar`: s("mul", x, y) applies a primitive of
    kernels/scalars.py.

    The result's dtype is that of the first argument, bool for comparisons; s.cast(x, dtype), s.constant(value, dtype),
    s.dtype(x), s.index(axis) and s.linear() (int64) are the other forms.
    """

    def __call__(self, primitive: str, *arguments: Any) -> Any:
        raise NotImplementedError

    def constant(self, value: float | int | bool, dtype: DType) -> Any:
        raise NotImplementedError

    def cast(self, x: Any, dtype: DType) -> Any:
        raise NotImplementedError

    def dtype(self, x: Any) -> DType:
        raise NotImplementedError

    def index(self, axis: int) -> Any:
        raise NotImplementedError

    def linear(self) -> Any:
        raise NotImplementedError


# Integers that end the run: which elements they are, and what the error says (TensorFlow's words).
REFUSED: dict[str, tuple[Callable[[np.ndarray], Any], str]] = {
    "zero": (lambda x: x == 0, "Integer division by zero"),
    "negative": (lambda x: x < 0, "Integers to negative integer powers are not allowed"),
}


@dataclass(frozen=True)
class Elementwise(Op):
    """y[i] = scalar(x0[i], x1[i], ...) under NumPy broadcasting.

    refused: which values (a key of REFUSED) of the last operand end the run, if it is of integers;
    passes/check_operands.py puts the step before the op that finds them. fills: the number that every element of the
    result is, whatever the operand holds.
    """

    output_dtype: ClassVar[DType | None] = None    # None: that of the first operand
    # Why the op is not exact somewhere, and where (of its operands): what tests/ops/test_hard_points.py leaves out.
    inexact: ClassVar[tuple[str, Callable[..., Any]] | None] = None
    refused: ClassVar[str | None] = None
    fills: ClassVar[float | None] = None

    def scalar(self, s: Scalars, *x: Any) -> Any:
        raise NotImplementedError(f"{self.type}.scalar")

    def infer(self, *inputs: Spec) -> Spec:
        same_dtypes(self, inputs)
        return Spec(self.output_dtype or inputs[0].dtype, broadcast_shapes(*(x.shape for x in inputs)))

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        # Operands of lower rank are broadcast along the leading axes: the layout pass expands them to full rank first.
        if any(rank not in (0, len(perm)) for rank in ranks):
            return None
        return Permuted(self, tuple(perm if rank else None for rank in ranks), (perm,))


@dataclass(frozen=True)
class Reduction(Op):
    """y = combine of map_element(x) along `axis`. combine: add, mul, max, min, and, or.

    finish(s, total, count) makes the result from the combined value and the number of elements (an int64 scalar).
    """

    operands: ClassVar[tuple[str, ...]] = ("x", "axis")
    types: ClassVar[dict[str, str]] = {"T": "x", "Tidx": "axis"}
    combine: ClassVar[str]
    axis: tuple[int, ...] = operand_field("int_or_ints")
    keep_dims: bool = attr("bool", False)

    def map_element(self, s: Scalars, x: Any) -> Any:
        return x

    def finish(self, s: Scalars, total: Any, count: Any) -> Any:
        return total

    @classmethod
    def keeps_single(cls) -> bool:
        """Whether the reduction of one element is that element."""
        return cls.map_element is Reduction.map_element and cls.finish is Reduction.finish

    def infer(self, x: Spec) -> Spec:  # type: ignore[override]
        if x.shape is None:
            return Spec(x.dtype, None)
        axes = normalise_axes(self.axis, len(x.shape))
        kept = tuple(1 if i in axes else s for i, s in enumerate(x.shape) if self.keep_dims or i not in axes)
        return Spec(x.dtype, kept)

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        axes = normalise_axes(self.axis, len(perm))
        moved = dataclasses.replace(self, axis=tuple(sorted(perm.index(a) for a in axes)))
        if self.keep_dims:
            return Permuted(moved, (perm,), (perm,))
        left = [p for p in perm if p not in axes]
        order = sorted(left)
        return Permuted(moved, (perm,), (tuple(order.index(p) for p in left),))


@dataclass(frozen=True)
class View(Op):
    """The same elements, seen through other strides: transpose, slices, broadcast. No data moves if the reader is
    a map."""

    def permutation(self) -> tuple[int, ...] | None:
        """perm, if the view is no more than another order of the axes: axis i of y is axis perm[i] of x."""
        return None

    def view(self, b: StepBuilder[A], x: A) -> A:
        """The access of the output, made from the access x of the input (ir/steps.py: Access.transpose, ...)."""
        raise NotImplementedError(f"{self.type}.view")


@dataclass(frozen=True)
class Alias(Op):
    """The first input's elements in the same row-major order, maybe under another shape: no data moves, no step.

    `infer` says everything; there is nothing to lower.
    """


@dataclass(frozen=True)
class Composite(Op):
    """Computed by a few other ops. expands_early: before `layout`, to which those tell more."""

    expands_early: ClassVar[bool] = False

    def expand(self, emit: Emit, *inputs: Value) -> Any:
        """emit(OtherOp(...), value, ...) makes a node and returns its value (a tuple if it has several results).

        For an op with refs the result is the tuple of new values of the refs, in the order of `refs`.
        Each value has .spec.
        """
        raise NotImplementedError(f"{self.type}.expand")


class Registry(Mapping[str, type[Op]]):
    """Every op by its type. A class is imported when it is first asked for: ops/manifest.py says where it stands."""

    def __init__(self) -> None:
        self._modules: dict[str, str] = {}
        self._classes: dict[str, type[Op]] = {}

    def list_modules(self, modules: Mapping[str, str]) -> None:
        """Says which module defines which op type."""
        self._modules.update(modules)

    def add(self, op_type: str, op: type[Op]) -> None:
        if op_type in self._classes:
            raise ValueError(f"op type {op_type} is registered already")
        self._classes[op_type] = op

    def types(self) -> list[str]:
        """All op types, without importing their classes."""
        return list({**self._modules, **self._classes})

    def __getitem__(self, op_type: str) -> type[Op]:
        if op_type not in self._classes:
            load(self._modules[op_type])
        return self._classes[op_type]

    def make(self, op_type: str, **fields: Any) -> Op:
        """An op by its type and fields."""
        op: Any = self[op_type]
        made: Op = op(**fields)
        return made

    def __contains__(self, op_type: object) -> bool:
        return op_type in self._classes or op_type in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self.types())

    def __len__(self) -> int:
        return len(self.types())


OPS = Registry()
C = TypeVar("C", bound=type[Op])


@dataclass_transform(frozen_default=True, field_specifiers=(attr, operand_field))
def register(cls: C) -> C:
    """Class decorator: makes the op a frozen dataclass and known by its class name, which is its TF type."""
    made = dataclass(frozen=True)(cls)
    made.type = cls.__name__
    made.floats = tuple(f.name for f in dataclasses.fields(made) if f.metadata.get("kind") in ("float", "list(float)"))
    named = {name.rstrip("*") for name in (*made.operands, *made.results)}
    for attribute, source in made.types.items():
        if source.rstrip("*") not in named:
            raise ValueError(f"op type {made.type}: the type {attribute} is that of '{source}', which it does not have")
    OPS.add(made.type, made)
    return made  # type: ignore[return-value]


def normalise_axis(axis: int, rank: int) -> int:
    """axis counted from the front. Raises ValueError if there is no such axis."""
    if not isinstance(axis, (int, np.integer)):
        raise ValueError(f"the axis must be known while the graph is built, but is {axis}")
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} is out of range for a tensor of rank {rank}")
    return int(axis) % rank


def normalise_axes(axes: Sequence[int], rank: int) -> tuple[int, ...]:
    """The axes counted from the front, in ascending order. Raises ValueError for a wrong or repeated one."""
    found = sorted(normalise_axis(a, rank) for a in axes)
    if len(set(found)) != len(found):
        raise ValueError(f"axes {tuple(axes)} name one axis twice")
    return tuple(found)


def same_dtypes(op: Op, inputs: Sequence[Spec]) -> None:
    """Raises TypeError unless all inputs have the dtype of the first."""
    for i, spec in enumerate(inputs):
        if spec.dtype != inputs[0].dtype:
            name = op.operands[min(i, len(op.operands) - 1)]
            raise TypeError(f"argument '{name}' has dtype {spec.dtype.name}, but '{op.operands[0]}' has "
                            f"{inputs[0].dtype.name}; cast one of them (gc.cast)")


def permute_shape(shape: Shape, perm: Sequence[int]) -> Shape:
    return tuple(shape[p] for p in perm)
