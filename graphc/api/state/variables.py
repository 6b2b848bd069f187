"""Variables: values that a session keeps from run to run.

`Variable` adds the ops of TensorFlow 1 (v, v/initial_value, v/Assign, v/read) and stands for v/read wherever a tensor
is expected. Fetching the object gives the value at the end of the run (docs/adr/0006-variables-and-effects.md).
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from inspect import signature
from typing import Any

from graphc.api.array.identity import identity
from graphc.api.public import public
from graphc.api.state import state
from graphc.api.state.aggregation import VariableAggregation, VariableSynchronization, trainable_by_default
from graphc.api.state.initial_values import initialized_value, outside_bodies, without_variables
from graphc.api.state.scatter import ScatterMethods, assign_part
from graphc.errors import built_at
from graphc.ir.apply import apply, convert_to_tensor, register_conversion
from graphc.ir.dtypes import DType, as_dtype
from graphc.ir.graph import Graph, GraphKeys, get_default_graph
from graphc.ir.late_imports import load
from graphc.ir.operators import Operators
from graphc.ir.stacks import get_default_session
from graphc.ir.tensor import Operation, Tensor
from graphc.ir.tensor_shape import TensorShape, as_shape
from graphc.ops.state.state import VariableV2
from graphc.wording import worded


@dataclass(frozen=True)
class SaveSliceInfo:
    """Which part of `full_name` a variable is, to those that save it: where it begins along each axis, and its size."""

    full_name: str
    full_shape: list[int]
    var_offset: list[int]
    var_shape: list[int]

    @property
    def spec(self) -> str:
        """"4 3 0,2:0,3": the whole shape, and begin and size along each axis, as checkpoints have it."""
        ranges = (f"{begin},{size}" for begin, size in zip(self.var_offset, self.var_shape, strict=True))
        return f"{' '.join(map(str, self.full_shape))} {':'.join(ranges)}"


class _Made(type):
    """Variables are made by the creators in force (creators.py), the innermost one first."""

    def __call__(cls, *arguments: Any, **more: Any) -> Any:
        def make(**keywords: Any) -> Any:
            return super(_Made, cls).__call__(**keywords)

        creators = get_default_graph().variable_creators
        if not creators:
            return super().__call__(*arguments, **more)
        given = signature(cls.__init__).bind(None, *arguments, **more)
        given.apply_defaults()
        keywords = {key: value for key, value in given.arguments.items() if key != "self"}
        for creator in creators:
            make = partial(creator, make)
        return make(**keywords)


@public("Variable")
class Variable(Operators, ScatterMethods, metaclass=_Made):
    """A value that a session keeps from run to run. dtype and shape are those of the initial value unless given.

    Wherever a tensor is expected it stands for its value: the one at the start of the run, unless control dependencies
    order the use after an assign; fetched itself it gives the value at the end of the run. It has no value (using it is
    a FailedPreconditionError) until its `initializer` has run, or a checkpoint is restored. Every Session has its own
    values. As `tf.Variable`.

    >>> w = gc.Variable([1., 2.], name="w")
    >>> grow = w.assign_add([10., 10.])
    >>> session = gc.get_default_session()
    >>> session.run(w.initializer)
    >>> session.run([grow, 2 * w])
    [array([11., 12.], dtype=float32), array([2., 4.], dtype=float32)]
    >>> w.eval()
    array([11., 12.], dtype=float32)
    """

    __array_priority__ = 100
    SaveSliceInfo = SaveSliceInfo

    def __init__(self, initial_value: Any = None, trainable: bool | None = None,
                 collections: Sequence[Any] | None = None,
                 validate_shape: bool = True, caching_device: Any = None, name: str | None = None,
                 variable_def: Any = None, dtype: Any = None, expected_shape: Any = None,
                 import_scope: str | None = None, constraint: Callable[[Any], Any] | None = None,
                 use_resource: bool | None = None,
                 synchronization: Any = None, aggregation: Any = None, shape: Any = None) -> None:
        """initial_value: a value, tensor, or function that gives one. trainable: in the collection that optimizers
        train; None: yes, unless synchronization is ON_READ. variable_def: the variable is that of a VariableDef, whose
        ops are in the graph already, inside import_scope. caching_device, use_resource and aggregation change nothing.

        validate_shape=False: the variable has no known shape, and `assign(..., validate_shape=False)` may change it.

        Raises ValueError without an initial value, if its shape is not known (unless validate_shape is False) or is not
        `shape`, and for a tensor of another dtype; TypeError for a Python value that does not convert to it.
        """
        self._save_slice_info: SaveSliceInfo | None = None
        self.constraint = constraint
        self.synchronization = VariableSynchronization.AUTO if synchronization is None else synchronization
        self.aggregation = VariableAggregation.NONE if aggregation is None else aggregation
        self._trainable = trainable_by_default(trainable, self.synchronization)
        if variable_def is not None:
            if initial_value is not None:
                raise ValueError("variable_def and initial_value are mutually exclusive.")
            self._find(variable_def, import_scope)
            return
        if initial_value is None:
            raise ValueError("initial_value must be specified. (gc.Variable needs a value, tensor or function; "
                             "gc.get_variable makes one from a shape)")
        if isinstance(collections, str):
            raise ValueError("collections argument to Variable constructor must be a list, tuple, or set. Got "
                             f"{collections!r}")
        with outside_bodies() as graph:
            self._build(graph, initial_value, name, None if dtype is None else as_dtype(dtype),
                        expected_shape if shape is None else shape, validate_shape)
            keys = [GraphKeys.GLOBAL_VARIABLES] if collections is None else list(collections)
            if self._trainable and GraphKeys.TRAINABLE_VARIABLES not in keys:
                keys.append(GraphKeys.TRAINABLE_VARIABLES)
            graph.add_to_collections(keys, self)

    def _build(self, graph: Graph, initial: Any, name: str | None, dtype: DType | None, shape: Any,
               validate: bool) -> None:
        with graph.name_scope(name or "Variable") as scope:
            with graph.name_scope("Initializer") if callable(initial) else _same_scope():
                value = initial() if callable(initial) else initial
                self._initial_value = convert_to_tensor(value, dtype, name="initial_value")
            known = self._initial_value.shape
            if shape is not None:
                known = known.merge_with(as_shape(shape))
            if validate and not known.is_fully_defined():
                raise ValueError(f"initial_value must have a shape specified: {self._initial_value!r}"
                                 f"{built_at(self._initial_value.op)}\n  give it one with set_shape, or pass "
                                 "validate_shape=False")
            self._variable: Tensor = apply(VariableV2, name=scope, shape=known.sizes if validate else None,
                                           dtype=self._initial_value.dtype, container=graph.container_name)
            safe = without_variables(self._initial_value)
            self._initializer: Operation = apply(state.Assign, self._variable, safe, name="Assign",
                                                 validate_shape=validate).op
            self._snapshot: Tensor = identity(self._variable, name="read")

    def _find(self, definition: Any, import_scope: str | None) -> None:
        """The ops that a VariableDef names, of the default graph."""
        graph = get_default_graph()

        def element(name: str) -> Any:
            return graph.as_graph_element(f"{import_scope}/{name}" if import_scope else name)

        self._variable = element(definition.variable_name)
        self._initializer = element(definition.initializer_name)
        named = getattr(definition, "initial_value_name", "")
        self._initial_value = element(named) if named else self._initializer.inputs[1]
        self._snapshot = element(definition.snapshot_name)
        self._trainable = bool(getattr(definition, "trainable", True))
        info = getattr(definition, "save_slice_info_def", None)
        if info is not None and info.full_name:
            full = f"{import_scope}/{info.full_name}" if import_scope else info.full_name
            self._save_slice_info = SaveSliceInfo(full, list(info.full_shape), list(info.var_offset),
                                                  list(info.var_shape))

    def _set_initializer(self, initializer: Operation, initial_value: Tensor) -> None:
        """From now on `initializer` initialises the variable, to `initial_value`."""
        self._initializer, self._initial_value = initializer, initial_value

    @staticmethod
    def from_proto(variable_def: Any, import_scope: str | None = None) -> Variable:
        """The variable of a VariableDef whose ops are in the default graph, inside import_scope."""
        return Variable(variable_def=variable_def, import_scope=import_scope)

    def to_proto(self, export_scope: str | None = None) -> Any:
        """Its VariableDef; None if it is not in export_scope, which is taken off the names."""
        return load("graphc.api.state.variable_protos").variable_to_proto(self, export_scope)

    # What it is

    @property
    def name(self) -> str:
        """"operation:0"."""
        return self._variable.name

    @property
    def op(self) -> Operation:
        """The operation that stands for the variable itself."""
        return self._variable.op

    @property
    def graph(self) -> Graph:
        """The graph that it belongs to."""
        return self._variable.graph

    @property
    def dtype(self) -> DType:
        """The type of its elements."""
        return self._variable.dtype

    @property
    def shape(self) -> TensorShape:
        """Its shape, known in full unless it was made with validate_shape=False."""
        return self._variable.shape

    @property
    def device(self) -> str:
        """The device that it was given, "" without one."""
        return self._variable.device

    @property
    def trainable(self) -> bool:
        """Whether optimizers train it by default."""
        return self._trainable

    @property
    def initializer(self) -> Operation:
        """The operation that assigns the initial value."""
        return self._initializer

    @property
    def initial_value(self) -> Tensor:
        """The tensor that its initializer assigns."""
        return self._initial_value

    def get_shape(self) -> TensorShape:
        """Its `shape`."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Says more of the shape of a variable made with validate_shape=False.

        Raises ValueError for a shape that does not fit.
        """
        self._variable.set_shape(shape)
        self._snapshot.set_shape(shape)

    # Reading

    def value(self) -> Tensor:
        """The value as a tensor: the one at the start of the run, unless control dependencies order it after an assign.
        """
        return self._snapshot

    def read_value(self) -> Tensor:
        """A new read, where it stands: after what `control_dependencies` says."""
        return identity(self._variable, name="read")

    def initialized_value(self) -> Tensor:
        """The value if the variable is initialised, else its initial value."""
        return initialized_value(self)

    def eval(self, session: Any = None) -> Any:
        """The value in `session`, or the default one, as NumPy has it."""
        return self._snapshot.eval(session=session)

    def _ref(self) -> Tensor:
        return self._variable

    def _as_graph_element(self) -> Tensor:
        return self._snapshot

    def _AsTensor(self) -> Tensor:
        return self._snapshot

    def ref(self) -> Variable:
        """Itself: variables are compared by identity, and can be keys."""
        return self

    experimental_ref = ref

    @property
    def _shared_name(self) -> str:
        return self.op.name

    def _get_save_slice_info(self) -> SaveSliceInfo | None:
        return self._save_slice_info

    def _set_save_slice_info(self, info: SaveSliceInfo | None) -> None:
        self._save_slice_info = info

    # Writing

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Writes `value`; the result is the new value (read_value=False: the operation).

        Raises as `gc.assign`.
        """
        made = state.assign(self, value, use_locking=use_locking, name=name)
        return made if read_value else made.op

    def assign_add(self, delta: Any, use_locking: bool = False, name: str | None = None,
                   read_value: bool = True) -> Any:
        """Adds `delta`; results as of `assign`.

        Raises as `gc.assign_add`.
        """
        made = state.assign_add(self, delta, use_locking=use_locking, name=name)
        return made if read_value else made.op

    def assign_sub(self, delta: Any, use_locking: bool = False, name: str | None = None,
                   read_value: bool = True) -> Any:
        """Subtracts `delta`; results as of `assign`.

        Raises as `gc.assign_sub`.
        """
        made = state.assign_sub(self, delta, use_locking=use_locking, name=name)
        return made if read_value else made.op

    def load(self, value: Any, session: Any = None) -> None:
        """Sets the value in `session` (or the default one) without adding an operation.

        Raises ValueError without a session, and for another shape or dtype.
        """
        session = session or get_default_session()
        if session is None:
            raise ValueError(f"cannot load '{self.name}': there is no default session; use `with gc.Session():` or "
                             "pass "
                             "session=...")
        session.run(self.initializer, {self.initializer.inputs[1]: value})

    def count_up_to(self, limit: int) -> Tensor:
        """As `gc.count_up_to` of it."""
        made: Tensor = load("graphc.api.state.counting").count_up_to(self, limit)
        return made

    def __getitem__(self, key: Any) -> Tensor:
        """The part of the value; `variable[key].assign(value)` writes it."""
        part: Any = self._snapshot[key]
        part.assign = partial(assign_part, self, key)
        return part  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("'Variable' object is not iterable.")

    def __repr__(self) -> str:
        return worded("<gc.Variable") + f" '{self.name}' shape={self.shape} dtype={self.dtype.name}_ref>"


def forward_operators(kind: type, value: Callable[[Any], Tensor]) -> None:
    """Every operator of Tensor works on `value` of an object of this class."""
    def operator(name: str) -> Callable[..., Any]:
        def apply_operator(self: Any, *arguments: Any) -> Any:
            return getattr(value(self), name)(*arguments)

        apply_operator.__name__ = name
        return apply_operator

    both = ("add", "sub", "mul", "truediv", "div", "floordiv", "mod", "pow", "matmul", "and", "or", "xor")
    names = [f"__{p}{n}__" for n in both for p in ("", "r")]
    for name in (*names, "__neg__", "__abs__", "__invert__", "__lt__", "__le__", "__gt__", "__ge__"):
        setattr(kind, name, operator(name))


forward_operators(Variable, lambda variable: variable._snapshot)
register_conversion(Variable, lambda variable, dtype, name: variable._as_graph_element())


@contextmanager
def _same_scope() -> Iterator[None]:
    yield
