"""variable_scope and get_variable: variables by name, shared on request, as in TensorFlow 1.

Every graph has one store of the variables that get_variable made; bodies of loops and branches use the outermost
graph's. The current scope belongs to a thread. Names of variables follow the variable scopes only, names of ops the
name scopes.
"""
from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import Enum
from typing import Any

from graphc.api.public import public
from graphc.api.state import initializers
from graphc.api.state.variables import Variable, outside_bodies
from graphc.ir.apply import is_tensor_like
from graphc.ir.dtypes import DType, as_dtype, float32
from graphc.ir.graph import Graph, GraphKeys, get_default_graph
from graphc.ir.names import suggestion
from graphc.ir.tensor_shape import TensorShape, as_shape
from graphc.ir.user_frame import user_line


class _ReuseMode(Enum):
    AUTO_REUSE = 1


AUTO_REUSE = _ReuseMode.AUTO_REUSE
Reuse = Any   # None (inherit), False, True or AUTO_REUSE
_STORE = ("__variable_store",)


class _Store:
    """The variables of get_variable in one graph, by full name, and how often each scope was entered."""

    def __init__(self) -> None:
        self.variables: dict[str, Variable] = {}
        self.entered: dict[str, int] = {}
        self.threads = threading.local()

    @property
    def scope(self) -> VariableScope:
        if not hasattr(self.threads, "scope"):
            self.threads.scope = VariableScope()
        return self.threads.scope  # type: ignore[no-any-return]

    def unique(self, name: str) -> str:
        """`name`, or the first of name_1, name_2, ... that was not entered inside the current scope."""
        prefix = f"{self.scope.name}/" if self.scope.name else ""
        candidate, count = name, 0
        while self.entered.get(prefix + candidate, 0):
            count += 1
            candidate = f"{name}_{count}"
        return candidate


def _store(graph: Graph | None = None) -> _Store:
    found = (graph or get_default_graph()).get_collection_ref(_STORE)
    if not found:
        found.append(_Store())
    return found[0]  # type: ignore[no-any-return]


@public("VariableScope")
class VariableScope:
    """Name and defaults for get_variable, as `tf.VariableScope`."""

    def __init__(self, reuse: Reuse = False, name: str = "", initializer: Any = None, regularizer: Any = None,
                 custom_getter: Any = None, name_scope: str = "", dtype: Any = float32, constraint: Any = None) -> None:
        self._reuse = reuse
        self._name = name
        self.initializer = initializer
        self.regularizer = regularizer
        self.custom_getter = custom_getter
        self.original_name_scope = name_scope
        self.dtype: DType = as_dtype(dtype)
        self.constraint = constraint

    @property
    def name(self) -> str:
        return self._name

    @property
    def reuse(self) -> Reuse:
        return self._reuse

    def reuse_variables(self) -> None:
        """From here on get_variable in this scope finds variables instead of making them."""
        self._reuse = True

    def set_initializer(self, initializer: Any) -> None:
        self.initializer = initializer

    def set_regularizer(self, regularizer: Any) -> None:
        self.regularizer = regularizer

    def set_dtype(self, dtype: Any) -> None:
        self.dtype = as_dtype(dtype)

    def set_custom_getter(self, custom_getter: Any) -> None:
        self.custom_getter = custom_getter

    def get_collection(self, name: Any) -> list[Any]:
        return get_default_graph().get_collection(name, f"{self.name}/" if self.name else None)

    def global_variables(self) -> list[Variable]:
        return self.get_collection(GraphKeys.GLOBAL_VARIABLES)

    def local_variables(self) -> list[Variable]:
        return self.get_collection(GraphKeys.LOCAL_VARIABLES)

    def trainable_variables(self) -> list[Variable]:
        return self.get_collection(GraphKeys.TRAINABLE_VARIABLES)

    def get_variable(self, name: str, shape: Any = None, dtype: Any = None, **more: Any) -> Variable:
        with _entered(_store(), self):
            return get_variable(name, shape, dtype, **more)


@public("get_variable_scope")
def get_variable_scope() -> VariableScope:
    """The current scope, as `tf.get_variable_scope`."""
    return _store().scope


@contextmanager
def _entered(store: _Store, scope: VariableScope) -> Iterator[VariableScope]:
    old = store.scope
    store.threads.scope = scope
    try:
        yield scope
    finally:
        store.threads.scope = old


@public("variable_scope")
class variable_scope:   # named as TensorFlow's
    """`with variable_scope("a"):` puts "a/" in front of the names that get_variable makes or, with reuse, finds.

    name_or_scope: a name inside the current scope, or a VariableScope to return to. default_name: taken, made unique,
    if name_or_scope is None. reuse: True finds variables, AUTO_REUSE finds or makes them; None inherits. Also opens a
    name scope, unless auxiliary_name_scope is False.
    """

    def __init__(self, name_or_scope: Any, default_name: str | None = None, values: Any = None,
                 initializer: Any = None, regularizer: Any = None, caching_device: Any = None,
                 partitioner: Any = None, custom_getter: Any = None, reuse: Reuse = None, dtype: Any = None,
                 use_resource: bool | None = None, constraint: Any = None, auxiliary_name_scope: bool = True) -> None:
        if name_or_scope is None and default_name is None:
            raise TypeError("If default_name is None then name_or_scope is required")
        if name_or_scope is not None and not isinstance(name_or_scope, (str, VariableScope)):
            raise TypeError(f"variable_scope: argument 'name_or_scope' must be a string or VariableScope, "
                            f"but is {name_or_scope!r}")
        if reuse not in (None, False, True, AUTO_REUSE):
            raise ValueError("The reuse parameter must be True or False or None or gc.AUTO_REUSE.")
        if name_or_scope is None and reuse:
            raise ValueError("reuse=True cannot be used without a name_or_scope")
        self._where = name_or_scope
        self._default_name = default_name
        self._reuse = reuse
        self._opens_name_scope = auxiliary_name_scope
        given = {"initializer": initializer, "regularizer": regularizer, "custom_getter": custom_getter,
                 "constraint": constraint, "dtype": None if dtype is None else as_dtype(dtype)}
        self._given = {key: value for key, value in given.items() if value is not None}
        self._exits: list[ExitStack] = []

    def __enter__(self) -> VariableScope:
        stack = ExitStack()
        store = _store()
        made = self._make(store, store.scope)
        name_scope = (self._where.name.rpartition("/")[2] if isinstance(self._where, VariableScope)
                      else self._default_name if self._where is None else self._where)
        if self._opens_name_scope and name_scope:
            opened = stack.enter_context(get_default_graph().name_scope(name_scope))
            if not isinstance(self._where, VariableScope):
                made.original_name_scope = opened
        store.entered[made.name] = store.entered.get(made.name, 0) + 1
        stack.enter_context(_entered(store, made))
        stack.callback(_forget_inside, store, made.name)
        self._exits.append(stack)
        return made

    def __exit__(self, *error: Any) -> None:
        self._exits.pop().__exit__(*error)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """As a decorator: the function's body runs inside the scope."""
        def wrapped(*arguments: Any, **more: Any) -> Any:
            with self:
                return function(*arguments, **more)

        return wrapped

    def _make(self, store: _Store, current: VariableScope) -> VariableScope:
        base = self._where if isinstance(self._where, VariableScope) else current
        made = copy.copy(base)
        if not isinstance(self._where, VariableScope):
            name = self._where if self._where is not None else store.unique(self._default_name or "")
            made._name = f"{current.name}/{name}" if current.name else name
        made._reuse = self._reuse or base.reuse if self._where is not None else current.reuse
        for key, value in self._given.items():
            if key == "custom_getter" and base.custom_getter is not None:
                value = _chained(base.custom_getter, value)
            setattr(made, key, value)
        return made


def _chained(outer: Callable[..., Any], inner: Callable[..., Any]) -> Callable[..., Any]:
    """Custom getters of nested scopes: the inner one is called first, with the outer one as its getter."""
    return lambda getter, *arguments, **more: inner(lambda *a, **m: outer(getter, *a, **m), *arguments, **more)


def _forget_inside(store: _Store, name: str) -> None:
    """Unnamed layers are counted from the start again each time their scope is entered."""
    for key in list(store.entered):
        if key.startswith(f"{name}/") or not name:
            store.entered[key] = 0


@public("get_variable")
def get_variable(name: str, shape: Any = None, dtype: Any = None, initializer: Any = None, regularizer: Any = None,
                 trainable: bool | None = None, collections: Sequence[Any] | None = None, caching_device: Any = None,
                 partitioner: Any = None, validate_shape: bool = True, use_resource: bool | None = None,
                 custom_getter: Callable[..., Any] | None = None, constraint: Any = None, synchronization: Any = None,
                 aggregation: Any = None) -> Variable:
    """The variable "scope/name": made, or with reuse found, as `tf.get_variable`.

    initializer: an initialiser, or a value (then without shape); by default the scope's, else glorot_uniform for
    floating point and zeros for the rest. Variables are not partitioned. Raises ValueError if the variable is there and
    should not be, or the reverse, and if shape or dtype differ from those it was made with.
    """
    scope = get_variable_scope()
    full = f"{scope.name}/{name}" if scope.name else name
    getter = custom_getter or scope.custom_getter
    if custom_getter is not None and scope.custom_getter is not None:
        getter = _chained(scope.custom_getter, custom_getter)
    arguments = {
        "shape": shape, "dtype": dtype or scope.dtype, "collections": collections, "validate_shape": validate_shape,
        "initializer": scope.initializer if initializer is None else initializer, "reuse": scope.reuse,
        "regularizer": regularizer or scope.regularizer, "constraint": constraint or scope.constraint,
        "trainable": trainable is None or trainable,
    }
    if getter is not None:
        return getter(_find_or_make, full, **arguments)  # type: ignore[no-any-return]
    return _find_or_make(full, **arguments)


def _find_or_make(name: str, shape: Any = None, dtype: Any = float32, initializer: Any = None, regularizer: Any = None,
                  reuse: Reuse = None, trainable: bool = True, collections: Any = None, validate_shape: bool = True,
                  constraint: Any = None, **ignored: Any) -> Variable:
    store = _store()
    found = store.variables.get(name)
    if found is not None:
        return _shared(found, name, shape, as_dtype(dtype), reuse)
    if reuse is True:
        raise ValueError(f"Variable {name} does not exist, or was not created with gc.get_variable()"
                         f"{suggestion(name, store.variables) or '.'}\n  asked for at {_here()}\n  Did you mean to set "
                         "reuse=gc.AUTO_REUSE in VarScope?")
    value, dtype = _initial_value(name, as_shape(shape) if shape is not None else None, as_dtype(dtype), initializer)
    graph = get_default_graph()
    with outside_bodies() as around, around.name_scope(None):    # variables are named by variable scopes only
        made = Variable(value, trainable=trainable, collections=collections, name=name, dtype=dtype,
                        validate_shape=validate_shape, constraint=constraint)
    store.variables[name] = made
    if regularizer is not None:
        with graph.name_scope(f"{name}/Regularizer/"):
            loss = regularizer(made)
        if loss is not None:
            graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)
    return made


def _shared(found: Variable, name: str, shape: Any, dtype: DType, reuse: Reuse) -> Variable:
    made_at = f"{found.op.file}:{found.op.line}"
    if not reuse:
        raise ValueError(f"Variable {name} already exists, disallowed. Did you mean to set reuse=True or "
                         f"reuse=gc.AUTO_REUSE in VarScope?\n  first made at {made_at}\n  made again at {_here()}\n"
                         "  to share it write gc.variable_scope(..., reuse=gc.AUTO_REUSE); to start anew, "
                         "gc.reset_default_graph()")
    if shape is not None and not as_shape(shape).is_compatible_with(found.shape):
        raise ValueError(f"Trying to share variable {name}, but specified shape {as_shape(shape)} and found shape "
                         f"{found.shape}.\n  made at {made_at}\n  asked for at {_here()}")
    if dtype != found.dtype:
        raise ValueError(f"Trying to share variable {name}, but specified dtype {dtype.name} and found dtype "
                         f"{found.dtype.name}.\n  made at {made_at}\n  asked for at {_here()}")
    return found


def _here() -> str:
    file, line = user_line()
    return f"{file}:{line}"


def _initial_value(name: str, shape: TensorShape | None, dtype: DType, initializer: Any) -> tuple[Any, DType | None]:
    if initializer is None:
        if shape is None:
            raise ValueError(f"Shape of a new variable ({name}) must be fully defined, but instead was <unknown>: give "
                             "get_variable a shape or an initial value")
        initializer = _default_initializer(name, dtype)
    if isinstance(initializer, type):
        initializer = initializer()
    if not callable(initializer) or is_tensor_like(initializer):
        if shape is not None:
            raise ValueError(f"get_variable '{name}': If initializer is a constant, do not specify shape.")
        own = initializer.dtype if is_tensor_like(initializer) else dtype if not hasattr(initializer, "dtype") else None
        return initializer, own
    if shape is None:
        return initializer, dtype     # a function without arguments
    if not shape.is_fully_defined():
        raise ValueError(f"Shape of a new variable ({name}) must be fully defined, but instead was {shape}.")
    return lambda: initializer(shape.as_list(), dtype=dtype), dtype


def _default_initializer(name: str, dtype: DType) -> Any:
    if dtype.is_floating:
        return initializers.GlorotUniform()
    if dtype.is_integer or dtype.is_bool:
        return initializers.Zeros()
    raise ValueError(f"An initializer for variable {name} of {dtype.name} is required")


@public("get_local_variable")
def get_local_variable(name: str, *arguments: Any, **more: Any) -> Variable:
    """A variable that is not trained and not saved, as `tf.get_local_variable`."""
    collections = [*(more.pop("collections", None) or []), GraphKeys.LOCAL_VARIABLES]
    return get_variable(name, *arguments, **{**more, "trainable": False, "collections": collections})


@public("no_regularizer")
def no_regularizer(_: Any) -> None:
    """A regularizer that overrides the scope's by none."""
