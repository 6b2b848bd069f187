"""TensorArrays and stacks of a file, which its ops share by a handle, as lists that are values.

In a file, a handle names something that every op on it changes where it is. Here each op takes the list that the one
before it gave: any order in which inputs come first is one that TensorFlow might have run, so the order in which the
operations are built will do. Branches and loops give out the lists that they change (building.py). The float called
flow, by which TensorFlow orders ops on an array, is passed on as it is.

A handle that is pushed on a stack (the gradient of a TensorArray in a loop asks for the array of that iteration) is its
list as it is then: popped, it serves to make an array of gradients of its size, and to tell its elements' shapes.

An array of gradients belongs to an array and a source. It exists as soon as its array does, so that a loop that is
first to ask for it need not make it; its writes are added up, after its end, too.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphc.api.array.identity import no_op
from graphc.api.array.shapes import shape
from graphc.api.array.source import constant
from graphc.api.control import lists
from graphc.errors import DataLossError, UnimplementedError
from graphc.ir.apply import apply
from graphc.ir.dtypes import DType, as_dtype, int64, variant
from graphc.ir.graph import Graph, get_default_graph
from graphc.ir.op import OPS
from graphc.ir.tensor import Operation, Tensor
from graphc.serial.graph_pb2 import NodeDef
from graphc.serial.lowered.graphs import graphs_around
from graphc.serial.lowered.parts import Part
from graphc.serial.tensors import shape_from_proto

if TYPE_CHECKING:
    from graphc.serial.lowered.building import Builder
    from graphc.serial.lowered.values import Values

_ARRAY_OPS = ("", "Write", "Read", "Gather", "Scatter", "Concat", "Split", "Size", "Close", "Grad", "Pack", "Unpack")
HANDLE_OPS = {f"TensorArray{kind}{version}": kind or "New" for kind in _ARRAY_OPS for version in ("", "V2", "V3")}
HANDLE_OPS |= {f"Stack{kind}{version}": f"Stack{kind}" for kind in ("", "Push", "Pop") for version in ("", "V2")}
HANDLE_OPS |= {"StackClose": "Close", "StackCloseV2": "Close"}


_RESOURCE = 20                 # the dtype of handles


@dataclass(eq=False)
class Handle:
    """A TensorArray or a stack.

    home: the graph in which it is made; adds: it is an array of gradients; holds: of a stack of handles, the one that
    was pushed; popped: it comes from such a stack; of: the array whose elements its own are like; seen: the sizes that
    all elements written so far have in common, if their rank is known.
    """

    name: str
    dtype: DType
    element_shape: Any
    home: Graph
    grows: bool = False
    adds: bool = False
    holds: Handle | None = None
    popped: bool = False
    of: Handle | None = None
    seen: tuple[int, ...] | None = None

    def sizes(self) -> Any:
        """What is known of an element's shape: -1 for an unknown size, or rank."""
        if self.element_shape != -1:
            return self.element_shape
        return self.of.sizes() if self.of is not None else -1 if self.seen is None else self.seen

    def saw(self, shape: tuple[int | None, ...] | None) -> None:
        if shape is not None:
            sizes = tuple(-1 if s is None else s for s in shape)
            before = self.seen if self.seen is not None and len(self.seen) == len(sizes) else sizes
            self.seen = tuple(a if a == b else -1 for a, b in zip(before, sizes, strict=True))

    def __str__(self) -> str:
        return f"'{self.name}'"


class Handles:
    """The lists behind handles. visible: brings a tensor into the default graph."""

    def __init__(self, visible: Callable[[Tensor], Tensor]) -> None:
        self.visible = visible
        self.lists: dict[Handle, Tensor] = {}
        self.outside: dict[Handle, Tensor] = {}        # those around the body that is being built
        self.first: dict[Handle, Tensor] = {}          # as they were made
        self.of_node: dict[str, Handle] = {}           # that of a loop's body stays when the body is built again
        self.gradients: dict[tuple[Handle, str], Handle] = {}

    @contextmanager
    def scope(self) -> Iterator[Handles]:
        """For a body: changes inside stay inside."""
        further, self.outside, self.lists = self.outside, self.lists, dict(self.lists)
        try:
            yield self
        finally:
            self.outside, self.lists = further, self.outside

    def raw(self, handle: Handle) -> Tensor:
        """Its list, in whatever graph."""
        return self.lists.get(handle, self.first[handle])

    def is_around(self, handle: Handle, graphs: Sequence[Graph]) -> bool:
        """Whether its list is there in one of these graphs."""
        return self.raw(handle).graph in graphs

    def changed(self) -> dict[Handle, Tensor]:
        """Inside `scope`: what changed since it began."""
        return {h: t for h, t in self.lists.items() if self.outside.get(h) is not t}

    def made(self, name: str, dtype: DType, element_shape: Any, grows: bool = False) -> Handle:
        """The handle that a node makes in the default graph."""
        handle = self.of_node.setdefault(name, Handle(name, dtype, element_shape, get_default_graph(), grows))
        handle.home = get_default_graph()
        self.lists.pop(handle, None)
        return handle

    def make(self, part: Part, node: NodeDef, values: Values, builder: Builder, name: str) -> None:
        """Builds an op on a handle, whose operation is called `name`."""
        made = _Made(self, part, node, values, builder, name)
        getattr(made, f"on_{HANDLE_OPS[node.op].lower()}")()


@dataclass
class _Made:
    """One op on a handle. Its operation is called `name`."""

    handles: Handles
    part: Part
    node: NodeDef
    values: Values
    builder: Builder
    name: str

    def on_new(self) -> None:
        shapes = self.node.attr["element_shape"].shape if "element_shape" in self.node.attr else None
        known = None if shapes is None else shape_from_proto(shapes)
        sizes: Any = -1 if known is None else [-1 if s is None else s for s in known]
        handle = self.handles.made(self.part.name, as_dtype(int(self.node.attr["dtype"].type)), sizes,
                                   self.node.attr["dynamic_size"].b)
        first = self._apply("TensorListReserve", sizes, self._input(0), element_dtype=handle.dtype)
        self.handles.first[handle] = first
        with self._scope():
            flow = constant(0.0, name="flow")
        self._name(first.op, handle=handle, flow=flow)

    def on_write(self) -> None:
        handle, before = self._list()
        index, value = self._input(1), self._input(2)
        handle.saw(value.spec.static_shape)
        if handle.adds:
            with self._scope():
                old = apply(OPS["TensorListGetItem"], before, index, shape(value), element_dtype=handle.dtype,
                            or_zeros=True)
                old.set_shape(value.shape)
                value = old + value
        self._changed(handle, self._apply("TensorListSetItem", before, index, value,
                                          resize_if_index_out_of_bounds=handle.grows or handle.adds), 3)

    def on_read(self) -> None:
        self._taken("TensorListGetItem")

    def on_gather(self) -> None:
        self._taken("TensorListGather")

    def _taken(self, op: str) -> None:
        """An element, or several. In an array of gradients one that was never written is zeros, of the shape that it
        has in the array itself."""
        handle, before = self._list()
        index, sizes = self._input(1), handle.sizes()
        if handle.of is not None and (sizes == -1 or -1 in sizes):
            with self._scope():
                array = self.handles.visible(self.handles.raw(handle.of))
                like = shape(apply(OPS[op], array, index, sizes, element_dtype=handle.dtype))
                sizes = like if op == "TensorListGetItem" else apply(
                    OPS["StridedSlice"], like, [1], [0], [1], end_mask=1)
        self._named(value=self._apply(op, before, index, sizes, element_dtype=handle.dtype))

    def on_pack(self) -> None:
        handle, before = self._list()
        self._named(value=self._apply("TensorListStack", before, handle.sizes(), element_dtype=handle.dtype,
                                      num_elements=-1))

    def on_scatter(self) -> None:
        self._scattered(self._input(1), self._input(2), 3)

    def on_unpack(self) -> None:
        value = self._input(1)
        with self._scope():
            from graphc.api.array.fill import range_
            indices = range_(0, shape(value)[0])
        self._scattered(indices, value, 2)

    def _scattered(self, indices: Tensor, value: Tensor, flow: int) -> None:
        handle, before = self._list()
        static = value.spec.static_shape
        handle.saw(static[1:] if static else None)
        if handle.adds:
            made = self._apply("_TensorListScatterSum", before, indices, value)
        else:
            made = self._apply("TensorListScatterIntoExistingList", before, value, indices, growing=handle.grows)
        self._changed(handle, made, flow)

    def on_split(self) -> None:
        handle, before = self._list()
        made = self._apply("TensorListSplit", self._input(1), -1, self._input(2))
        if handle.adds:
            with self._scope():
                made = lists.add(before, made)
        self._changed(handle, made, 3)

    def on_concat(self) -> None:
        handle, before = self._list()
        with self._scope():
            none = constant([], int64, shape=[0])
        value, lengths = self._apply("TensorListConcatV2", before, handle.sizes(), none,
                                     element_dtype=handle.dtype)
        self._name(value.op, value=value, lengths=lengths)

    def on_size(self) -> None:
        self._named(size=self._apply("TensorListLength", self._list()[1]))

    def on_close(self) -> None:
        get_default_graph().mark_name(self.name)
        self._name(no_op(name=f"{self.name}/"))

    def on_grad(self) -> None:
        array = self._handle()
        key = array, self.node.attr["source"].s.decode()
        if array.adds:
            raise UnimplementedError(f"gradients of the gradients of the TensorArray {array} are not supported")
        made = self.handles.gradients.setdefault(key, Handle(self.part.name, array.dtype, array.element_shape,
                                                             array.home, True, True, of=array))
        if made not in self.handles.first or made.home is not array.home:
            made.home = array.home
            with array.home.as_default(), array.home.control_dependencies(None), self._scope():
                size = apply(OPS["TensorListLength"], self.handles.first[array])
                self.handles.first[made] = apply(OPS["TensorListReserve"], made.sizes(), size,
                                                 element_dtype=made.dtype)
        get_default_graph().mark_name(self.name)
        self._name(no_op(name=f"{self.name}/"), grad_handle=made, flow_out=self._input(1))

    def on_stack(self) -> None:
        number = int(self.node.attr["elem_type"].type)
        dtype = variant if number == _RESOURCE else as_dtype(number)
        handle = self.handles.made(self.part.name, dtype, -1)
        first = self._apply("EmptyTensorList", element_shape=-1, max_num_elements=-1, element_dtype=dtype)
        self.handles.first[handle] = first
        self._name(first.op, handle=handle)

    def on_stackpush(self) -> None:
        handle, before = self._list()
        value = self.builder.raw(self.part.texts[1], self.values) if len(self.part.texts) > 1 else self._input(1)
        if isinstance(value, Handle):
            handle.holds = value
            pushed = self.handles.visible(self.handles.raw(value))
        else:
            value = pushed = self._input(1)
        made = self._apply("TensorListPushBack", before, pushed)
        self.handles.lists[handle] = made
        self._name(made.op, output=value)

    def on_stackpop(self) -> None:
        handle, before = self._list()
        rest, top = self._apply("TensorListPopBack", before, element_shape=-1 if handle.holds is None else (),
                                element_dtype=handle.dtype)
        self.handles.lists[handle] = rest
        if handle.holds is None:
            self._name(top.op, elem=top)
            return
        key = f"popped {handle.holds.name}"      # several stacks hold the same array: it is popped once
        array = self.handles.of_node.get(key)
        if array is None or array.home not in graphs_around():
            array = self.handles.made(key, handle.holds.dtype, handle.holds.element_shape)
            array.popped, array.of = True, handle.holds
            self.handles.first[array] = top
        self._name(top.op, elem=array)

    # Inputs and results

    def _input(self, index: int) -> Tensor:
        if index >= len(self.part.texts):
            raise DataLossError(f"it has {len(self.part.texts)} inputs, but takes more; the file is damaged")
        return self.builder.tensor(self.part.texts[index], self.values)

    def _handle(self) -> Handle:
        found = self.builder.raw(self.part.texts[0], self.values) if self.part.texts else None
        if not isinstance(found, Handle):
            given = ", ".join(self.part.texts[:1])
            raise UnimplementedError(f"its handle '{given}' does not come straight from the op that made it, so that "
                                     "it is not known which TensorArray or stack it is")
        return found

    def _list(self) -> tuple[Handle, Tensor]:
        handle = self._handle()
        if handle.popped:
            raise UnimplementedError(f"its handle comes from the stack element {handle}, of which only an array of "
                                     "gradients can be made")
        return handle, self.handles.visible(self.handles.raw(handle))

    def _scope(self) -> Any:
        return get_default_graph().name_scope(f"{self.name}/")

    def _apply(self, op: str, *operands: Any, **fields: Any) -> Any:
        graph = get_default_graph()
        graph.mark_name(self.name)
        with graph.control_dependencies(self.builder.waits(self.part, self.values)):
            return apply(OPS[op], *operands, name=f"{self.name}/", **fields)

    def _changed(self, handle: Handle, made: Tensor, flow: int) -> None:
        self.handles.lists[handle] = made
        self._name(made.op, flow_out=self._input(flow))

    def _named(self, **result: Tensor) -> None:
        self._name(next(iter(result.values())).op, **result)

    def _name(self, operation: Operation, **results: Tensor | Handle) -> None:
        self.values.operations[self.part.name] = operation
        for i, (result, value) in enumerate(results.items()):
            self.values.name(self.part.name, value, i, result)
