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
              (passes/shared/number_types.py makes it of real ones), "itself": its `lower` takes them; "": not at all
  drops_ones    the rank of its result depends on which of its input's sizes are 1
  checks_data   its kernel may end the run because of what it finds in the data (an index out of range)
  may_be_fed    a run may give another value than the graph says
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
  Elementwise.fills, Elementwise.cheap, Reduction.keeps_single, View.permutation, Composite.expands_early

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
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from graphc.ir.axes import normalise_axes as normalise_axes
from graphc.ir.axes import normalise_axis as normalise_axis
from graphc.ir.axes import permute_shape as permute_shape
from graphc.ir.dtypes import DType
from graphc.ir.op_base import Arrays as Arrays
from graphc.ir.op_base import Effect as Effect
from graphc.ir.op_base import Op as Op
from graphc.ir.op_base import Permuted as Permuted
from graphc.ir.op_base import Sample as Sample
from graphc.ir.op_base import attr as attr
from graphc.ir.op_base import operand_field as operand_field
from graphc.ir.records import dataclass
from graphc.ir.registry import OPS as OPS
from graphc.ir.registry import Registry as Registry
from graphc.ir.registry import register as register
from graphc.ir.spec import Shape, Spec, broadcast_shapes

if TYPE_CHECKING:
    from graphc.ir.node import Value
    from graphc.ir.steps import A, Emit, StepBuilder


class Scalars:
    """Interface of the builder handed to `Elementwise.scalar`: s("mul", x, y) applies a primitive of
    kernels/scalars.

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
    the pass check_operands puts the step before the op that finds them. fills: the number that every element of the
    result is, whatever the operand holds. cheap: where its operands are at hand it is better computed again than kept
    in memory.
    """

    output_dtype: ClassVar[DType | None] = None    # None: that of the first operand
    # Why the op is not exact somewhere, and where (of its operands): what the tests of hard points leave out.
    inexact: ClassVar[tuple[str, Callable[..., Any]] | None] = None
    refused: ClassVar[str | None] = None
    fills: ClassVar[float | None] = None
    cheap: ClassVar[bool] = False

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

    def is_whole(self, shape: Shape) -> bool:
        """Whether it is all of an operand of that shape, in its order, maybe under another shape."""
        return False

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


def same_dtypes(op: Op, inputs: Sequence[Spec]) -> None:
    """Raises TypeError unless all inputs have the dtype of the first."""
    for i, spec in enumerate(inputs):
        if spec.dtype != inputs[0].dtype:
            raise TypeError(f"argument '{_argument(op, i)}' has dtype {spec.dtype.name}, but '{_argument(op, 0)}' has "
                            f"{inputs[0].dtype.name}; cast one of them (gc.cast)")


def _argument(op: Op, number: int) -> str:
    """What the user calls the operand with that number, of ops whose list of operands comes first, if it has one."""
    fields = op.field_operands()
    names = [operand for operand in op.operands if operand not in fields]
    return f"{names[0][:-1]}[{number}]" if names[0].endswith("*") else names[min(number, len(names) - 1)]
