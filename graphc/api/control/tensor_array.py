"""TensorArray: an array of tensors that is a value of the graph, for loops to read and write.

Its one tensor, `flow`, is a list (ops/control/arrays.py and its neighbours). A write gives another TensorArray and
leaves the old one as it was, as TensorFlow's control flow v2 does, so an element may be written and read more than
once. What is known of the elements' shape is shared by all that came from one constructor.
"""
from __future__ import annotations

from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import range_, zeros_like
from graphc.api.array.identity import identity, no_op
from graphc.api.array.shapes import shape
from graphc.api.array.source import constant
from graphc.api.control import lists
from graphc.api.public import public
from graphc.errors import UnimplementedError
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import DType, as_dtype, int32, int64, variant
from graphc.ir.graph import Graph, get_default_graph
from graphc.ir.op import OPS
from graphc.ir.tensor import Operation, Tensor
from graphc.ir.tensor_shape import TensorShape, as_shape


@public("TensorArray")
class TensorArray:
    """An array of tensors that loops write and read element by element; each write gives the array to go on with.

    Args:
        dtype: of the elements.
        size: how many there are, an int32 scalar; with dynamic_size writing after the end makes it longer.
        element_shape: of each; infer_shape: all have the first one's, False: they may differ.
        clear_after_read, colocate_with_first_write_call: memory is the runtime's concern; elements stay readable.
        handle, flow, tensor_array_name: TensorFlow's inner parts.

    Gradients go through it, also in loops. As `tf.TensorArray`. An index out of range is an InvalidArgumentError when
    run. Raises TypeError for elements of another dtype and an index that is no integer, ValueError without size and for
    elements of another shape; UnimplementedError when run if their rank is not known by then.

    >>> squares = gc.TensorArray(gc.int32, size=4)
    >>> _, squares = gc.while_loop(lambda i, _: i < 4, lambda i, array: (i + 1, array.write(i, i * i)), (0, squares))
    >>> squares.stack().eval(), squares.read(3).eval()
    (array([0, 1, 4, 9], dtype=int32), np.int32(9))
    >>> gc.TensorArray(gc.float32, size=2).unstack([[1., 2.], [3., 4.]]).concat().eval()
    array([1., 2., 3., 4.], dtype=float32)
    """

    def __init__(self, dtype: Any, size: Any = None, dynamic_size: bool | None = None,
                 clear_after_read: bool | None = None, tensor_array_name: str | None = None, handle: Any = None,
                 flow: Any = None, infer_shape: bool = True, element_shape: Any = None,
                 colocate_with_first_write_call: bool = True, name: str | None = None) -> None:
        given = handle is not None or flow is not None
        if given and size is not None:
            raise ValueError("Cannot provide both a handle and size at the same time")
        if given and element_shape is not None:
            raise ValueError("Cannot provide both a handle and element_shape at the same time")
        if given and dynamic_size is not None:
            raise ValueError("Cannot provide both a handle and dynamic_size at the same time")
        if given and clear_after_read is not None:
            raise ValueError("Cannot provide both a handle and clear_after_read at the same time")
        if not given and size is None:
            raise ValueError("Size must be provided if handle is not provided")
        self._dtype = as_dtype(dtype)
        self._dynamic_size = bool(dynamic_size)
        self._infer_shape = infer_shape
        self._shape = [as_shape(element_shape)]        # one list for all arrays that come from this one
        self._size: Tensor | None = None
        self._gradients: dict[str, Any] = {}           # by source, what is known of the arrays of gradients
        if given:
            self._flow = convert_to_tensor(flow if flow is not None else handle)
            if self._flow.dtype != variant:
                raise TypeError("TensorArray: argument 'flow' must be the flow of a TensorArray, but is "
                                f"{self._flow!r}")
            return
        with get_default_graph().name_scope(name or tensor_array_name or "TensorArray") as scope:
            self._size = convert_to_tensor(size, int32, name="size")
            self._flow = apply(OPS["TensorListReserve"], self._sizes(), self._size, element_dtype=self._dtype,
                               name=scope)

    dtype = property(lambda self: self._dtype, doc="The dtype of the elements.")
    flow = property(lambda self: self._flow, doc="The list that this array is.")
    handle = property(lambda self: self._flow, doc="As `flow`: what another TensorArray is made of.")
    element_shape = property(lambda self: self._shape[0], doc="What is known of the elements' shape.")
    dynamic_size = property(lambda self: self._dynamic_size, doc="Whether writing after the end makes it longer.")

    def _with_flow(self, flow: Tensor) -> TensorArray:
        """The same kind of array with other elements."""
        made: TensorArray = TensorArray.__new__(type(self))
        made.__dict__.update(self.__dict__)
        made._flow, made._size = flow, None
        return made

    def _sizes(self) -> list[int] | int:
        shape = self._shape[0]
        return -1 if shape.ndims is None else [-1 if s is None else s for s in shape.as_list()]

    def _saw(self, shape: TensorShape) -> None:
        """What an element's shape must be, and is known to be from now on."""
        if not self._infer_shape:
            return
        if not shape.is_compatible_with(self._shape[0]):
            raise ValueError(f"Inconsistent shapes: saw {shape} but expected {self._shape[0]} (and infer_shape=True)")
        self._shape[0] = self._shape[0].merge_with(shape)

    def _value(self, value: Any) -> Tensor:
        tensor = convert_to_tensor(value, None if isinstance(value, Tensor) else self._dtype, name="value")
        if tensor.dtype != self._dtype:
            raise TypeError(f"TensorArray dtype is {self._dtype.name} but the value has dtype {tensor.dtype.name}; "
                            "cast it (gc.cast)")
        return tensor

    def _rows(self, value: Any) -> Tensor:
        tensor = self._value(value)
        if tensor.shape.ndims == 0:
            raise ValueError("TensorArray: the value must have at least one axis, but is a scalar")
        if tensor.shape.ndims is not None:
            self._saw(tensor.shape[1:])
        return tensor

    def identity(self) -> TensorArray:
        """This array after what its ops wait for: control dependencies hold for all that is made of it."""
        return self._with_flow(identity(self._flow))

    def grad(self, source: str, flow: Any = None, name: str | None = None) -> TensorArray:
        """An array of the same size whose writes are added up; gc.gradients needs none. Asked for once for each source:
        go on with the array that its last write gave, or pass that one's flow."""
        return _gradient_array(self, source, flow, name)

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """The element at `index`. One that was never written is zeros if its shape is known, else an error."""
        value: Tensor = apply(OPS["TensorListGetItem"], self._flow, _integer(index), self._sizes(),
                              element_dtype=self._dtype, name=name or "TensorArrayRead")
        return value

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with `value` at `index`."""
        with get_default_graph().name_scope(name or "TensorArrayWrite") as scope:
            tensor = self._value(value)
            self._saw(tensor.shape)
            return self._with_flow(apply(OPS["TensorListSetItem"], self._flow, _integer(index), tensor,
                                         resize_if_index_out_of_bounds=self._dynamic_size, name=scope))

    def stack(self, name: str | None = None) -> Tensor:
        """All elements, one below the other.

        The result is [size, ...].
        """
        count = self._size.spec.value if self._size is not None else None
        known = count[0] if count is not None and isinstance(count[0], int) and not self._dynamic_size else -1
        value: Tensor = apply(OPS["TensorListStack"], self._flow, self._sizes(), element_dtype=self._dtype,
                              num_elements=known, name=name or "TensorArrayStack")
        return value

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """The elements at `indices`, one below the other.

        indices: integers [n]; the result is [n, ...].
        """
        with get_default_graph().name_scope(name or "TensorArrayGather") as scope:
            value: Tensor = apply(OPS["TensorListGather"], self._flow, _integer(indices), self._sizes(),
                                  element_dtype=self._dtype, name=scope)
            return value

    def concat(self, name: str | None = None) -> Tensor:
        """The elements, one after the other along their first axes.

        Raises ValueError for scalars.
        """
        shape = self._shape[0]
        if shape.ndims == 0:
            raise ValueError("TensorArray.concat: the elements must have at least one axis, but are scalars")
        sizes = self._sizes()
        with get_default_graph().name_scope(name or "TensorArrayConcat") as scope:
            none = constant([], int64, shape=[0])
            return apply(OPS["TensorListConcatV2"], self._flow, sizes, none, element_dtype=self._dtype,  # type: ignore[no-any-return]
                         name=scope)[0]

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """The array with the rows of `value` as its first elements.

        Raises ValueError for a scalar.
        """
        with get_default_graph().name_scope(name or "TensorArrayUnstack") as scope:
            tensor = self._rows(value)
            if self._fits(tensor):
                return self._with_flow(apply(OPS["TensorListFromTensor"], tensor, self._sizes(), name=scope))
            return self._scattered(range_(0, shape(tensor)[0]), tensor, scope)

    def _fits(self, tensor: Tensor) -> bool:
        """Whether the rows are known to be all elements."""
        count = self._size.spec.value if self._size is not None else None
        return count is not None and tensor.spec.shape is not None and count[0] == tensor.spec.shape[0]

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with the rows of `value` at `indices`.

        indices: as many integers, else ValueError.
        """
        with get_default_graph().name_scope(name or "TensorArrayScatter") as scope:
            return self._scattered(_integer(indices), self._rows(value), scope)

    def _scattered(self, indices: Tensor, tensor: Tensor, name: str) -> TensorArray:
        return self._with_flow(apply(OPS["TensorListScatterIntoExistingList"], self._flow, tensor, indices,
                                     growing=self._dynamic_size, name=name))

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """The array of the parts of `value` along its first axis, of these lengths.

        lengths: a vector of `size` integers that add up to the axis, or the run ends with InvalidArgumentError.
        """
        with get_default_graph().name_scope(name or "TensorArraySplit") as scope:
            tensor = self._value(value)
            lengths = cast(convert_to_tensor(lengths), int64)
            if self._infer_shape and tensor.shape.ndims is not None:
                self._shape[0] = self._shape[0].merge_with([_common(lengths), *tensor.shape.as_list()[1:]])
            return self._with_flow(apply(OPS["TensorListSplit"], tensor, self._sizes(), lengths, name=scope))

    def size(self, name: str | None = None) -> Tensor:
        """The number of elements."""
        found: Tensor = apply(OPS["TensorListLength"], self._flow, name=name or "TensorArraySize")
        return found

    def close(self, name: str | None = None) -> Operation:
        """Does nothing: the memory is freed at the end of the run."""
        return no_op(name=name or "TensorArrayClose")


class GradientArray(TensorArray):
    """What grad gives: writes are added up. A value, too: what is written to the next one is not in this one.

    known: the flows of all arrays that came from the first one. written: which of them were written to, in which graph.
    """

    _known: list[Tensor]
    _written: set[tuple[Tensor, Graph]]

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with `value` added to what is at `index`."""
        with get_default_graph().name_scope(name or "TensorArrayWrite") as scope:
            tensor = self._value(value)
            self._saw(tensor.shape)
            position = _integer(index)
            before = apply(OPS["TensorListGetItem"], self._flow, position, shape(tensor), element_dtype=self._dtype)
            before.set_shape(tensor.shape)
            return self._next(apply(OPS["TensorListSetItem"], self._flow, position, before + tensor, name=scope))

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """The array with the rows of `value` added to its first elements."""
        with get_default_graph().name_scope(name or "TensorArrayUnstack") as scope:
            tensor = self._rows(value)
            return self._scattered(range_(0, shape(tensor)[0]), tensor, scope)

    def _scattered(self, indices: Tensor, tensor: Tensor, name: str) -> TensorArray:
        # The first op refuses indices that are none; the second one adds rows of one index.
        zeros = apply(OPS["TensorListScatterIntoExistingList"], self._empty()._flow, zeros_like(tensor), indices)
        rows = apply(OPS["_TensorListScatterSum"], zeros, indices, tensor, name=name)
        return self._next(lists.add(self._flow, rows))

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """The array with the parts of `value` added to its elements."""
        return self._next(lists.add(self._flow, self._empty().split(value, lengths, name)._flow))

    def _empty(self) -> TensorArray:
        """A plain array of this size, in which nothing is written."""
        made: TensorArray = TensorArray.__new__(TensorArray)
        made.__dict__.update(self.__dict__)
        made._flow = apply(OPS["TensorListReserve"], self._sizes(), self.size(), element_dtype=self._dtype)
        return made

    def _next(self, flow: Tensor) -> TensorArray:
        """The array after a write. In TensorFlow two writes to this array would meet; here one would be lost."""
        key = (self._flow, get_default_graph())
        if key in self._written:
            raise UnimplementedError("TensorArray.write: argument 'value': something was written to this array of "
                                     f"gradients already ('{self._flow.name}'), and it is a value: write to the array "
                                     "that the write before gave")
        self._written.add(key)
        return self._with_flow(flow)

    def _with_flow(self, flow: Tensor) -> TensorArray:
        self._known.append(flow)
        return super()._with_flow(flow)

    def grad(self, source: str, flow: Any = None, name: str | None = None) -> TensorArray:
        """Not there, as in TensorFlow."""
        raise UnimplementedError(f"TensorArray.grad: source={source!r}: an array of gradients has no gradients of its "
                                 "own; take gradients of what was written, with gc.gradients")


def _gradient_array(array: TensorArray, source: str, flow: Tensor | None, name: str | None) -> GradientArray:
    """The array of gradients of `array` with this source: a new one, or the one that `flow` belongs to."""
    made: GradientArray = GradientArray.__new__(GradientArray)
    made.__dict__.update(array.__dict__)
    made._dynamic_size = False
    made._size = None if array._dynamic_size else array._size
    known, made._written = array._gradients.setdefault(source, ([], set()))
    made._known = known
    if any(flow is k for k in known):
        made._flow = flow
        return made
    if known:
        raise UnimplementedError(
            f"TensorArray.grad: source={source!r} has an array of gradients already: a TensorArray is a value, so go "
            "on with that array, or pass the flow that its last write gave: grad(source, flow=array.flow)")
    with get_default_graph().name_scope(name or "TensorArrayGrad") as scope:
        size = apply(OPS["TensorListLength"], array._flow if flow is None else flow)
        made._flow = apply(OPS["TensorListReserve"], made._sizes(), size, element_dtype=made._dtype, name=scope)
    known.append(made._flow)
    return made


def _integer(index: Any) -> Tensor:
    """An index or indices as int32."""
    tensor = convert_to_tensor(index, None if isinstance(index, Tensor) else int32, name="index")
    if not tensor.dtype.is_integer:
        raise TypeError(f"TensorArray: an index must be an integer, but has dtype {tensor.dtype.name}")
    return cast(tensor, int32)


def _common(lengths: Tensor) -> int | None:
    """The length that all parts have, if that is known."""
    values = lengths.spec.value
    return values[0] if values and isinstance(values[0], int) and len(set(values)) == 1 else None


def dtype_of(value: Any) -> DType:
    """The dtype of a tensor, or of an array's elements."""
    return value.dtype if isinstance(value, TensorArray) else convert_to_tensor(value).dtype
