"""Variables: values that a session keeps from run to run.

`Variable` adds the ops of TensorFlow 1 (v, v/initial_value, v/Assign, v/read) and stands for v/read wherever a tensor
is expected. Fetching the object gives the value at the end of the run (docs/adr/0006-variables-and-effects.md).
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from graphc.api.array.identity import group, identity
from graphc.api.control.cond import cond
from graphc.api.public import public
from graphc.api.state import state
from graphc.api.state.scatter import ScatterMethods
from graphc.errors import built_at
from graphc.ir.apply import apply, convert_to_tensor, register_conversion
from graphc.ir.dtypes import DType, as_dtype
from graphc.ir.func_graph import FuncGraph
from graphc.ir.graph import Graph, GraphKeys, get_default_graph
from graphc.ir.operators import Operators
from graphc.ir.stacks import get_default_session
from graphc.ir.tensor import Operation, Tensor
from graphc.ir.tensor_shape import TensorShape, as_shape
from graphc.ops.state.state import VariableV2


@contextmanager
def outside_bodies() -> Iterator[Graph]:
    """The outermost graph, without control dependencies: variables made in a loop or branch belong to the whole graph.
    """
    graph = get_default_graph()
    scope = graph.get_name_scope()
    while isinstance(graph, FuncGraph):
        graph = graph.outer_graph
        scope = graph.get_name_scope()
    with graph.as_default(), graph.control_dependencies(None), graph.name_scope(f"{scope}/" if scope else None):
        yield graph


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


@public("Variable")
class Variable(Operators, ScatterMethods):
    """A variable, as `tf.Variable`. dtype and shape are those of the initial value unless given."""

    __array_priority__ = 100
    SaveSliceInfo = SaveSliceInfo

    def __init__(self, initial_value: Any = None, trainable: bool = True, collections: Sequence[Any] | None = None,
                 validate_shape: bool = True, caching_device: Any = None, name: str | None = None,
                 variable_def: Any = None, dtype: Any = None, expected_shape: Any = None,
                 import_scope: str | None = None, constraint: Callable[[Any], Any] | None = None,
                 use_resource: bool | None = None,
                 synchronization: Any = None, aggregation: Any = None, shape: Any = None) -> None:
        """initial_value: a value, tensor, or function that gives one. trainable: in the collection that optimizers
        train. variable_def: the variable is that of a VariableDef, whose ops are in the graph already, inside
        import_scope.

        Raises ValueError without an initial value, or if its shape is not known (unless validate_shape is False).
        """
        self._save_slice_info: SaveSliceInfo | None = None
        self.constraint = constraint
        self._trainable = trainable
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
            if trainable and GraphKeys.TRAINABLE_VARIABLES not in keys:
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
            self._variable: Tensor = apply(VariableV2, name=scope, shape=known.sizes,
                                           dtype=self._initial_value.dtype)
            safe = _without_variables(self._initial_value, self._variable)
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
        named = definition.initial_value_name
        self._initial_value = element(named) if named else self._initializer.inputs[1]
        self._snapshot = element(definition.snapshot_name)
        self._trainable = definition.trainable
        info = definition.save_slice_info_def
        if info.full_name:
            full = f"{import_scope}/{info.full_name}" if import_scope else info.full_name
            self._save_slice_info = SaveSliceInfo(full, list(info.full_shape), list(info.var_offset),
                                                  list(info.var_shape))

    @staticmethod
    def from_proto(variable_def: Any, import_scope: str | None = None) -> Variable:
        """The variable of a VariableDef whose ops are in the default graph, inside import_scope."""
        return Variable(variable_def=variable_def, import_scope=import_scope)

    # What it is

    @property
    def name(self) -> str:
        return self._variable.name

    @property
    def op(self) -> Operation:
        return self._variable.op

    @property
    def graph(self) -> Graph:
        return self._variable.graph

    @property
    def dtype(self) -> DType:
        return self._variable.dtype

    @property
    def shape(self) -> TensorShape:
        return self._variable.shape

    @property
    def device(self) -> str:
        return self._variable.device

    @property
    def trainable(self) -> bool:
        return self._trainable

    @property
    def initializer(self) -> Operation:
        """The operation that assigns the initial value."""
        return self._initializer

    @property
    def initial_value(self) -> Tensor:
        return self._initial_value

    def get_shape(self) -> TensorShape:
        return self.shape

    def set_shape(self, shape: Any) -> None:
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
        return _initialized_value(self)

    def eval(self, session: Any = None) -> Any:
        return self._snapshot.eval(session=session)

    def _ref(self) -> Tensor:
        return self._variable

    def _as_graph_element(self) -> Tensor:
        return self._snapshot

    # Writing

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Writes `value`; the result is the new value (read_value=False: the operation)."""
        made = state.assign(self, value, use_locking=use_locking, name=name)
        return made if read_value else made.op

    def assign_add(self, delta: Any, use_locking: bool = False, name: str | None = None,
                   read_value: bool = True) -> Any:
        made = state.assign_add(self, delta, use_locking=use_locking, name=name)
        return made if read_value else made.op

    def assign_sub(self, delta: Any, use_locking: bool = False, name: str | None = None,
                   read_value: bool = True) -> Any:
        made = state.assign_sub(self, delta, use_locking=use_locking, name=name)
        return made if read_value else made.op

    def load(self, value: Any, session: Any = None) -> None:
        """Sets the value in `session` (or the default one) without adding an operation."""
        session = session or get_default_session()
        if session is None:
            raise ValueError(f"cannot load '{self.name}': there is no default session; use `with gc.Session():` or "
                             "pass "
                             "session=...")
        session.run(self.initializer, {self.initializer.inputs[1]: value})

    def count_up_to(self, limit: int) -> Tensor:
        raise TypeError("Variable.count_up_to(limit) is deprecated in TensorFlow, too; use gc.count_up_to(variable, "
                        "limit)")

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("'Variable' object is not iterable.")

    def __bool__(self) -> bool:
        return bool(self._snapshot)

    def __len__(self) -> int:
        return len(self._snapshot)

    def __getitem__(self, index: Any) -> Tensor:
        return self._snapshot[index]  # type: ignore[index]

    def __repr__(self) -> str:
        return f"<gc.Variable '{self.name}' shape={self.shape} dtype={self.dtype.name}_ref>"


def _operators() -> None:
    """Every operator of Tensor works on a variable's value."""
    def operator(name: str) -> Callable[..., Any]:
        def apply_operator(self: Variable, *arguments: Any) -> Any:
            return getattr(self._snapshot, name)(*arguments)

        apply_operator.__name__ = name
        return apply_operator

    both = ("add", "sub", "mul", "truediv", "div", "floordiv", "mod", "pow", "matmul", "and", "or", "xor")
    names = [f"__{p}{n}__" for n in both for p in ("", "r")]
    for name in (*names, "__neg__", "__abs__", "__invert__", "__lt__", "__le__", "__gt__", "__ge__"):
        setattr(Variable, name, operator(name))


_operators()
register_conversion(Variable, lambda variable, dtype, name: variable._as_graph_element())


@contextmanager
def _same_scope() -> Iterator[None]:
    yield


# Initial values that read other variables


def _initialized_value(variable: Variable) -> Tensor:
    with outside_bodies():
        return cond(state.is_variable_initialized(variable), variable.read_value, lambda: variable.initial_value)


def _without_variables(value: Tensor, made: Tensor) -> Tensor:
    """`value` with each variable it reads replaced by cond(is_initialized, variable, its initial value).

    One run of global_variables_initializer then works in any order, and shares random numbers (rule 10). Ops between
    the variable and the value are made anew; the others are used as they are.
    """
    by_ref = {v._ref(): v for v in _variables_of(value.graph)}
    return _Replacing(by_ref).tensor(value)


def _variables_of(graph: Graph) -> list[Variable]:
    found = [v for key in graph.collections for v in graph.get_collection(key) if isinstance(v, Variable)]
    return list(dict.fromkeys(found))


class _Replacing:
    def __init__(self, by_ref: dict[Tensor, Variable]) -> None:
        self.by_ref = by_ref
        self.done: dict[Tensor, Tensor] = {}

    def tensor(self, tensor: Tensor) -> Tensor:
        if tensor not in self.done:
            self._fill(tensor)
        return self.done[tensor]

    def _fill(self, tensor: Tensor) -> None:
        """Without recursion over the graph's depth: inputs first."""
        waiting = [tensor]
        while waiting:
            current = waiting[-1]
            operation = current.op
            missing = [t for t in operation.inputs if t not in self.done]
            if current in self.done or (missing and operation.type not in _STOPS):
                waiting.pop() if current in self.done else waiting.extend(missing)
                continue
            waiting.pop()
            self.done.update(zip(operation.outputs, self._outputs(operation), strict=True))

    def _outputs(self, operation: Operation) -> Sequence[Tensor]:
        if operation.type in _STOPS:
            return operation.outputs
        variable = self.by_ref.get(operation.inputs[0]) if operation.type in ("Identity", "RefIdentity") else None
        if variable is not None:
            return [_initialized_value(variable)]
        inputs = [self.done[t] for t in operation.inputs]
        if all(new is old for new, old in zip(inputs, operation.inputs, strict=True)):
            return operation.outputs
        name = operation.name.rpartition("/")[2]
        return operation.graph.create(operation.definition, inputs, name=name).outputs


_STOPS = ("VariableV2", "IsVariableInitialized", "If", "StatelessIf", "Const", "Placeholder")


# Collections and initialising


@public("global_variables", "all_variables")
def global_variables(scope: str | None = None) -> list[Variable]:
    return get_default_graph().get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


@public("local_variables")
def local_variables(scope: str | None = None) -> list[Variable]:
    return get_default_graph().get_collection(GraphKeys.LOCAL_VARIABLES, scope)


@public("model_variables")
def model_variables(scope: str | None = None) -> list[Variable]:
    return get_default_graph().get_collection(GraphKeys.MODEL_VARIABLES, scope)


@public("trainable_variables")
def trainable_variables(scope: str | None = None) -> list[Variable]:
    return get_default_graph().get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


@public("variables_initializer", "initialize_variables", "initializers.variables")
def variables_initializer(var_list: Sequence[Variable], name: str = "init") -> Operation:
    """The operation that initialises these variables, as `tf.variables_initializer`."""
    return group(*[v.initializer for v in var_list], name=name)


@public("global_variables_initializer", "initializers.global_variables")
def global_variables_initializer() -> Operation:
    """Initialises every variable made so far, as `tf.global_variables_initializer`."""
    return variables_initializer(global_variables())


@public("local_variables_initializer", "initialize_local_variables", "initializers.local_variables")
def local_variables_initializer() -> Operation:
    return variables_initializer(local_variables())


@public("initialize_all_variables")
def initialize_all_variables() -> Operation:
    return global_variables_initializer()
