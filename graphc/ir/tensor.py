"""Operation and Tensor: what a user's graph is made of.

A Tensor is an output of an Operation. Equality and hash are identity; bool, iter and len raise TypeError. The operators
(`x + y`, `x[1:]`) are filled in by api/methods.py through `register_method`, so that ir/ needs to know no op.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from graphc.ir import dims
from graphc.ir.constant_values import Made, constant_value
from graphc.ir.dims import Size
from graphc.ir.dtypes import DType
from graphc.ir.element_values import DEPTH, from_operands
from graphc.ir.node import Origin
from graphc.ir.op import Op
from graphc.ir.operators import Operators
from graphc.ir.spec import Spec
from graphc.ir.stacks import get_default_session
from graphc.ir.tensor_shape import TensorShape, as_shape
from graphc.wording import worded

if TYPE_CHECKING:
    from graphc.ir.graph import Graph


class Operation:
    """A node of the graph: its type, inputs, attributes and outputs. `definition` is the op with its fields; it never
    changes.

    Running it gives None. As `tf.Operation`. get_attr raises ValueError for an attribute that it does not have.

    >>> y = gc.reduce_sum([[1., 2.]], axis=1, name="total")
    >>> y.op.name, y.op.type, y.op.get_attr("keep_dims"), [x.name for x in y.op.inputs]
    ('total', 'Sum', False, ['Const:0', 'total/reduction_indices:0'])
    """

    def __init__(self, graph: Graph, name: str, definition: Op, inputs: Sequence[Tensor],
                 control_inputs: Sequence[Operation], specs: Sequence[Spec], device: str, origin: tuple[str, int],
                 number: int) -> None:
        self.graph = graph
        self.name = name
        self.definition = definition
        self.inputs = tuple(inputs)
        self.control_inputs = list(control_inputs)
        self.device = device
        self.origin = Origin(name, definition.type, *origin)
        self.number = number                        # position in the graph's order of creation
        self.gradient_name: str | None = None       # of a registered gradient, which takes the place of its own
        self.extra_attributes: dict[str, Any] = {}  # attributes of an imported node that graphc does not know: kept
        self.outputs = [Tensor(self, i, spec) for i, spec in enumerate(specs)]
        for tensor in dict.fromkeys(self.inputs):
            tensor._consumers.append(self)

    @property
    def type(self) -> str:
        """TensorFlow's name of what it computes."""
        return self.definition.type

    @property
    def file(self) -> str:
        """The user's file that made it."""
        return self.origin.file

    @property
    def line(self) -> int:
        """The line of the user's file that made it."""
        return self.origin.line

    @property
    def traceback(self) -> list[tuple[str, int, str, str]]:
        """The user's line that made this op, in the form of `traceback.extract_stack`'s entries."""
        import linecache

        source = linecache.getline(self.file, self.line).strip()
        return [(self.file, self.line, "", source)] if self.file else []

    def values(self) -> tuple[Tensor, ...]:
        """Its outputs."""
        return tuple(self.outputs)

    def operand_tensors(self) -> dict[str, Any]:
        """TF's inputs by operand name: a Tensor, or a tuple for a variadic operand."""
        return split_operands(type(self.definition), self.inputs)

    def value_operands(self) -> list[Tensor]:
        """Its inputs but for those that are fields of `definition`."""
        fields = self.definition.field_operands()
        return [t for key, value in self.operand_tensors().items() if key not in fields
                for t in (value if isinstance(value, tuple) else (value,))]

    def get_attr(self, name: str) -> Any:
        """The attribute `name` (TF's name for it): str, tuples and arrays where TensorFlow gives bytes, lists and
        TensorProtos. Raises ValueError if the op has none of that name."""
        import dataclasses

        for field in dataclasses.fields(self.definition):
            if not field.metadata.get("operand") and name == (field.metadata.get("wire") or field.name):
                return getattr(self.definition, field.name)
        source = self.definition.types.get(name)
        if source is not None:
            found = self.operand_tensors().get(source)
            if source in self.definition.results:
                found = self.outputs[self.definition.results.index(source)]
            if isinstance(found, tuple):
                found = found[0] if found else None
            if found is not None:
                return found.dtype
        if name == "N" and self.definition.is_variadic():
            return next(len(v) for v in self.operand_tensors().values() if isinstance(v, tuple))
        if name in self.extra_attributes:
            return self.extra_attributes[name]
        raise ValueError(f"Operation '{self.name}' (type {self.type}) has no attribute named '{name}'.")

    def run(self, feed_dict: dict[Any, Any] | None = None, session: Any = None) -> None:
        """Runs the op in `session`, or in the default one."""
        _session(session, self.graph, "run").run(self, feed_dict)

    @property
    def _outputs(self) -> list[Tensor]:
        """As programs that edit graphs call them."""
        return self.outputs

    def _set_device(self, device: str) -> None:
        self.device = device

    def _add_control_inputs(self, operations: Sequence[Operation]) -> None:
        for operation in operations:
            if operation not in self.control_inputs:
                self.control_inputs.append(operation)

    def __repr__(self) -> str:
        return worded("<gc.Operation") + f" '{self.name}' type={self.type}>"


def _made(tensor: Tensor) -> Made:
    op = tensor.op
    return Made(op, op.definition, op.value_operands(), [t.spec for t in op.outputs], tensor.value_index)


# A TypeError for who asks for the length, an AttributeError for who asks whether there is one.
_NoLength: Any = type("TypeError", (TypeError, AttributeError), {"__module__": "builtins"})


class Tensor(Operators):
    """A value to be computed: the output `value_index` of an operation. `spec` is all that is known of it.

    Operators build further operations, `==` and hash are the object's own. It is no list: bool, len and iteration raise
    TypeError; its size is in `shape` as far as it is known, and in `gc.shape` when it runs. As `tf.Tensor`.

    >>> x = gc.constant([[1., 2.], [3., 4.]])
    >>> y = (2 * x + 1)[:, 0]
    >>> y.name, y.dtype, y.shape.as_list()
    ('strided_slice:0', gc.float32, [2])
    >>> y.eval()
    array([3., 7.], dtype=float32)
    """

    __array_priority__ = 100    # np.ones(2) * tensor calls tensor.__rmul__

    def __init__(self, op: Operation, value_index: int, spec: Spec) -> None:
        self.op = op
        self.value_index = value_index
        self.spec = spec
        self._consumers: list[Operation] = []
        self._value: tuple[Size, ...] | None = spec.value

    @property
    def graph(self) -> Graph:
        """The graph that it belongs to."""
        return self.op.graph

    @property
    def name(self) -> str:
        """"operation:output", as `get_tensor_by_name` takes it."""
        return f"{self.op.name}:{self.value_index}"

    @property
    def dtype(self) -> DType:
        """The type of its elements."""
        return self.spec.dtype

    @property
    def shape(self) -> TensorShape:
        """What is known of its shape while the graph is built."""
        return TensorShape(self.spec.static_shape)

    @property
    def device(self) -> str:
        """The device that its operation was given, "" without one."""
        return self.op.device

    def get_shape(self) -> TensorShape:
        """Its `shape`."""
        return self.shape

    def consumers(self) -> list[Operation]:
        """The operations that have it as an input."""
        return list(self._consumers)

    def set_shape(self, shape: Any) -> None:
        """Says what the user knows of the shape. Raises ValueError if it contradicts what is known already."""
        merged = self.shape.merge_with(as_shape(shape)).sizes
        if merged is None:
            return
        old = self.spec.shape or tuple(
            dims.symbol(f"{self.op.name}.{i}", ("size", self, i)) for i in range(len(merged)))
        sizes = tuple(o if m is None else m for m, o in zip(merged, old, strict=True))
        self.spec = replace(self.spec, shape=sizes)

    def value_sizes(self, depth: int = 0) -> tuple[Size, ...] | None:
        """The elements of a small integer tensor as sizes: known ones, else symbols bound when the run has computed it.

        None if their number is unknown. The symbols' source is ("value", tensor, position). depth: of the recursion.
        """
        if self._value is None and self.spec.shape is not None and self.dtype.is_integer:
            count = dims.product(self.spec.shape)
            if isinstance(count, int):
                self._value = self._from_operands(depth) or (
                    constant_value(self, _made)) or tuple(
                    dims.symbol(f"{self.op.name}[{i}]", ("value", self, i)) for i in range(count))
        return self._value

    def _from_operands(self, depth: int) -> tuple[Size, ...] | None:
        if depth == DEPTH or len(self.op.outputs) != 1:
            return None
        given = self.op.value_operands()
        return from_operands(self.op.definition, [t.spec for t in given], lambda i: given[i].value_sizes(depth + 1))

    def eval(self, feed_dict: dict[Any, Any] | None = None, session: Any = None) -> Any:
        """The tensor's value in `session`, or in the default one."""
        return _session(session, self.graph, "eval").run(self, feed_dict)

    def _as_graph_element(self) -> Tensor:
        return self

    # Equality and hash stay Python's own: identity.

    def __bool__(self) -> bool:
        raise TypeError(f"the Tensor '{self.name}' has no truth value while the graph is built: use gc.cond instead of "
                        "`if`, gc.logical_and instead of `and`, and `t is not None` to test whether there is a tensor")

    __nonzero__ = __bool__

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(f"the Tensor '{self.name}' cannot be iterated over while the graph is built: "
                        "gc.unstack(t) gives a list of its slices where the first size is known; gc.while_loop goes "
                        "over any number of them")

    @property
    def __len__(self) -> Any:
        """len(t) is a TypeError; hasattr(t, "__len__") is False, as programs ask that tell lists from tensors."""
        raise _NoLength(f"len() of the Tensor '{self.name}' is not known while the graph is built: use gc.shape(t)[0], "
                        "or int(t.shape[0]) where it is static")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(f"the Tensor '{self.name}' has no value while the graph is built, so it cannot become a NumPy "
                        "array: use session.run, or functions such as gc.exp in place of NumPy's")

    def __float__(self) -> float:
        raise TypeError(f"the Tensor '{self.name}' has no value while the graph is built: use session.run")

    def __repr__(self) -> str:
        return worded("<gc.Tensor") + f" '{self.name}' shape={self.shape} dtype={self.dtype.name}>"

    def __str__(self) -> str:
        return f'Tensor("{self.name}", shape={self.shape}, dtype={self.dtype.name})'


def register_method(name: str, function: Callable[..., Any], owner: type = Tensor) -> None:
    """Gives Tensor (or Operation, Graph) a method that is made of things further on in the order of directories."""
    setattr(owner, name, function)


def split_operands(op: type[Op], tensors: Sequence[Any]) -> dict[str, Any]:
    """TF's inputs in order -> by operand name; the variadic operands take what the others leave, each as many."""
    variadic = sum(name.endswith("*") for name in op.operands)
    many = (len(tensors) - len(op.operands) + variadic) // max(variadic, 1)
    result: dict[str, Any] = {}
    position = 0
    for name in op.operands:
        if name.endswith("*"):
            result[name] = tuple(tensors[position:position + many])
            position += many
        else:
            result[name] = tensors[position]
            position += 1
    return result


def result_names(op: type[Op], count: int) -> list[tuple[str, int]]:
    """The name of each of `count` results, and its position among those of that name: variadic ones are equally many.
    """
    starred = sum(name.endswith("*") for name in op.results)
    many = (count - len(op.results) + starred) // max(starred, 1)
    return [(name.rstrip("*"), i) for name in op.results for i in range(many if name.endswith("*") else 1)]


def _session(session: Any, graph: Any, what: str) -> Any:
    session = session if session is not None else get_default_session()
    if session is None:
        raise ValueError(f"cannot {what}: there is no default session; use `with gc.Session():` or pass session=...")
    if session.graph is not graph:
        raise ValueError(f"cannot {what}: the session runs another graph than the one this belongs to; "
                         "make it with gc.Session(graph=...)")
    return session
