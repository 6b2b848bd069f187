"""What `Op.lower`, `View.view` and `Composite.expand` are handed: how an op says what computes it.

An op writes every element of each of its outputs. Sizes may be symbolic. The one builder is plan/builder.py, the one
form of an access ir/access.py.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from graphc.ir.dims import Size
    from graphc.ir.dtypes import DType
    from graphc.ir.host import Host
    from graphc.ir.node import Value
    from graphc.ir.op import Op
    from graphc.ir.spec import Shape

ScalarFunction = Callable[..., Any]


class Access(Protocol):
    """How the elements of a buffer are reached from the indices of some shape. Every method gives another view of the
    same buffer; no data moves."""

    @property
    def dtype(self) -> DType: ...

    @property
    def shape(self) -> Shape: ...

    @property
    def rank(self) -> int: ...

    @property
    def elements(self) -> Size: ...

    @property
    def is_contiguous(self) -> bool:
        """Whether the elements lie row-major, without gaps, from the buffer's first element on (provably)."""

    def transpose(self, perm: Sequence[int]) -> Self:
        """Axis i of the result is axis perm[i]."""

    def slice(self, begin: Sequence[Size], size: Sequence[Size], step: Sequence[Size] | None = None) -> Self:
        """Element i of an axis is element begin + i * step; size is the resulting shape. A step may be negative."""

    def broadcast(self, shape: Sequence[Size]) -> Self:
        """By NumPy's rules."""

    def broadcast_trailing(self, sizes: Sequence[Size]) -> Self:
        """The same element for every index of new axes at the end."""

    def expand(self, axis: int) -> Self:
        """A new axis of size 1 before `axis` (which may be the rank)."""

    def squeeze(self, axes: Sequence[int]) -> Self:
        """Without these axes, which must have size 1."""

    def reverse(self, axes: Sequence[int]) -> Self: ...

    def select(self, axis: int, index: Size) -> Self:
        """The elements with this index along `axis`, which disappears."""

    def part(self, axis: int, begin: Size, size: Size) -> Self:
        """`size` consecutive indices of one axis, from `begin` on."""

    def diagonal(self, axis: int, other: int) -> Self:
        """Both axes run together: the result lacks `other`; the size is that of `axis`."""


A = TypeVar("A", bound=Access)


class StepBuilder(Protocol[A]):
    """The steps that an op may be made of. Results are whole buffers."""

    def call(self, kernel: str, operands: Sequence[A], dims: Sequence[Size] = (), attrs: Sequence[float] = ()) -> None:
        """A kernel of kernels/contracts/ by its bare name: its operands in their order, those that it writes last. What
        it reads is copied first if it is not contiguous. attrs: ints, or floats where it is declared so."""

    def map(self, function: ScalarFunction, inputs: Sequence[A], outputs: Sequence[A]) -> None:
        """y_j[i] = function(s, x_0[i], ...)_j for every index i; all accesses have one shape. s is the scalar builder
        (ir/op.py: Scalars); the function returns one value or a tuple, one for each output."""

    def elementwise(self, function: ScalarFunction, inputs: Sequence[A], outputs: Sequence[A]) -> None:
        """The same, the inputs broadcast to the outputs' shape first."""

    def reduce(self, combine: str, x: A, y: A, axes: Sequence[int], element: ScalarFunction | None = None,
               finish: ScalarFunction | None = None) -> None:
        """y = finish(s, combined element(s, x), count) over axes of x; y has the kept axes in order (with or without
        axes of size 1). combine: "add", "mul", "max", "min", "and", "or"."""

    def copy(self, source: A, target: A) -> None:
        """target = source, of one shape; any strides on both sides."""

    def fill(self, target: A, value: float | int | bool) -> None: ...

    def temporary(self, dtype: DType, shape: Sequence[Size]) -> A:
        """A buffer for the op's own use, whole."""

    def reshape(self, x: A, shape: Sequence[Size]) -> A:
        """x under another shape (same elements); copies x first if it is not contiguous."""

    def bitcast(self, x: A, dtype: DType, shape: Sequence[Size]) -> A:
        """The bits of x, of numbers, as numbers of another dtype, of this shape."""

    def same_memory(self, x: A, y: A) -> bool:
        """Whether both lie in one buffer: of an op that overwrites its operand, whether it need not be copied first."""

    def contiguous(self, x: A) -> A:
        """x itself, or a copy without gaps."""

    def store_sizes(self, sizes: Sequence[Size], y: A) -> None:
        """y (int32 or int64, rank <= 1) = these sizes: how a shape becomes a tensor."""

    def constant(self, value: Any) -> A:
        """A constant of the Plan, from a NumPy array."""

    def bind(self, x: A, sizes: Sequence[Size]) -> None:
        """sizes (symbols) become known while running: the elements of the int tensor x."""

    def bind_unknown(self, x: A, sizes: Sequence[Size]) -> None:
        """The same, of those sizes that are not known yet; the others are equal to the elements of x, a vector."""

    def counter(self) -> A:
        """int64[2]: number of this run, iteration number (ops/random/philox.py)."""

    def host(self, name: str, operands: Sequence[Any], outputs: Sequence[A]) -> None:
        """A function of the embedder on the calling thread; symbols in the outputs' shapes become known."""

    def compute(self, op: Host, operands: Sequence[A], outputs: Sequence[A]) -> None:
        """The same, of an op of kind Host: its `compute`."""

    def require(self, relation: str, a: Size, b: Size, message: str) -> None:
        """A guard: "equal", "less_equal", "less"."""


class Emit(Protocol):
    def __call__(self, op: Op, *inputs: Value) -> Any:
        """Makes a node and returns its Value, a tuple of them if it has several results."""
