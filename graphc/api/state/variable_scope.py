"""variable_scope: names and defaults for get_variable (get_variable.py), as in TensorFlow 1.

Every graph has one store of the variables that get_variable made; bodies of loops and branches use the outermost
graph's. The current scope belongs to a thread. Names of variables follow the variable scopes only, names of ops the
name scopes; entering a variable scope opens both.
"""
from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from enum import Enum
from functools import partial, wraps
from typing import Any

from graphc.api.public import public
from graphc.api.state.variables import Variable
from graphc.ir.apply import graph_of
from graphc.ir.dtypes import DType, as_dtype, float32
from graphc.ir.graph import Graph, GraphKeys, get_default_graph


class _ReuseMode(Enum):
    AUTO_REUSE = 1


AUTO_REUSE = _ReuseMode.AUTO_REUSE
Reuse = Any   # None (inherit), False, True or AUTO_REUSE
_STORE = ("__variable_store",)


class _OfThread(threading.local):
    """scope: the current one. entered: how often scopes were entered, by full name; unnamed layers count by it."""

    def __init__(self) -> None:
        self.scope = VariableScope()
        self.entered: dict[str, int] = {}


class Store:
    """The variables that get_variable made in one graph, by full name: whole ones, and those cut into parts."""

    def __init__(self) -> None:
        self.variables: dict[str, Variable] = {}
        self.partitioned: dict[str, Any] = {}
        self.thread = _OfThread()

    _vars = property(lambda self: self.variables, doc="TensorFlow's name of `variables`.")

    def unique(self, name: str) -> str:
        """`name`, or the first of name_1, name_2, ... that was not entered inside the current scope."""
        prefix = f"{self.thread.scope.name}/" if self.thread.scope.name else ""
        candidate, count = name, 0
        while self.thread.entered.get(prefix + candidate, 0):
            count += 1
            candidate = f"{name}_{count}"
        return candidate

    @contextmanager
    def entering(self, scope: VariableScope, returning: bool) -> Iterator[VariableScope]:
        """`scope` is the current one inside. returning: it is one that existed, so that names inside it go on being
        counted outside as if it had not been entered."""
        thread = self.thread
        thread.entered[scope.name] = thread.entered.get(scope.name, 0) + 1
        before, counts = thread.scope, dict(thread.entered)
        thread.scope = scope
        try:
            yield scope
        finally:
            thread.scope = before
            if returning:
                thread.entered = counts
            for name in thread.entered:         # they are counted from the start again each time it is entered
                if name.startswith(f"{scope.name}/"):
                    thread.entered[name] = 0


def store(graph: Graph | None = None) -> Store:
    found = (graph or get_default_graph()).get_collection_ref(_STORE)
    if not found:
        found.append(Store())
    return found[0]  # type: ignore[no-any-return]


@public("VariableScope")
class VariableScope:
    """Name and defaults for get_variable: what `with gc.variable_scope(...) as scope` gives.

    reuse: False, True or AUTO_REUSE. It can be entered again, from anywhere. caching_device and use_resource change
    nothing. As `tf.VariableScope`.

    >>> with gc.variable_scope("net", dtype=gc.float64) as scope:
    ...     v = gc.get_variable("v", [2])
    >>> scope.name, v.dtype
    ('net', gc.float64)
    >>> with gc.variable_scope(scope, reuse=True):
    ...     gc.get_variable("v") is v
    True
    """

    def __init__(self, reuse: Reuse = False, name: str = "", initializer: Any = None, regularizer: Any = None,
                 caching_device: Any = None, partitioner: Any = None, custom_getter: Any = None, name_scope: str = "",
                 dtype: Any = float32, use_resource: bool | None = None, constraint: Any = None) -> None:
        self._reuse = reuse
        self._name = name
        self.initializer = initializer
        self.regularizer = regularizer
        self.caching_device = caching_device
        self.partitioner = partitioner
        self.custom_getter = custom_getter
        self.original_name_scope = name_scope
        self.dtype: DType = as_dtype(dtype)
        self.use_resource = use_resource
        self.constraint = constraint

    @property
    def name(self) -> str:
        """What stands in front of the names of variables, without the last slash."""
        return self._name

    @property
    def reuse(self) -> Reuse:
        """Whether get_variable finds variables (True), makes them (False), or either (AUTO_REUSE)."""
        return self._reuse

    def reuse_variables(self) -> None:
        """From here on get_variable in this scope finds variables instead of making them."""
        self._reuse = True

    def set_initializer(self, initializer: Any) -> None:
        """Sets the default of get_variable's `initializer` in this scope."""
        self.initializer = initializer

    def set_regularizer(self, regularizer: Any) -> None:
        """Sets the default of get_variable's `regularizer` in this scope."""
        self.regularizer = regularizer

    def set_caching_device(self, caching_device: Any) -> None:
        """Sets the default of get_variable's `caching_device`, which changes nothing."""
        self.caching_device = caching_device

    def set_partitioner(self, partitioner: Any) -> None:
        """Sets the default of get_variable's `partitioner` in this scope."""
        self.partitioner = partitioner

    def set_dtype(self, dtype: Any) -> None:
        """Sets the default of get_variable's `dtype` in this scope."""
        self.dtype = as_dtype(dtype)

    def set_use_resource(self, use_resource: bool) -> None:
        """Sets the default of get_variable's `use_resource`, which changes nothing."""
        self.use_resource = use_resource

    def set_custom_getter(self, custom_getter: Any) -> None:
        """Sets the default of get_variable's `custom_getter` in this scope."""
        self.custom_getter = custom_getter

    def get_collection(self, name: Any) -> list[Any]:
        """The elements of a collection whose names are inside this scope."""
        return get_default_graph().get_collection(name, f"{self.name}/" if self.name else None)

    def global_variables(self) -> list[Variable]:
        """The global variables inside this scope."""
        return self.get_collection(GraphKeys.GLOBAL_VARIABLES)

    def local_variables(self) -> list[Variable]:
        """The local variables inside this scope."""
        return self.get_collection(GraphKeys.LOCAL_VARIABLES)

    def trainable_variables(self) -> list[Variable]:
        """The trainable variables inside this scope."""
        return self.get_collection(GraphKeys.TRAINABLE_VARIABLES)


@public("get_variable_scope")
def get_variable_scope() -> VariableScope:
    """The current variable scope of this thread; without one that of the name "". As `tf.get_variable_scope`.

    >>> with gc.variable_scope("a"), gc.variable_scope("b"):
    ...     gc.get_variable_scope().name
    'a/b'
    >>> gc.get_variable_scope().reuse_variables()            # from here on get_variable finds only
    """
    return store().thread.scope


@public("variable_scope")
class variable_scope:   # named as TensorFlow's
    """`with variable_scope("a"):` puts "a/" in front of the names that get_variable makes or, with reuse, finds.

    Args:
        name_or_scope: a name inside the current scope, or a VariableScope to return to.
        default_name: taken, made unique, if name_or_scope is None.
        values: tensors whose graph becomes the default one.
        initializer, regularizer, partitioner, custom_getter, dtype, constraint: defaults for get_variable inside.
        reuse: True finds variables, AUTO_REUSE finds or makes them; None and False inherit.
        auxiliary_name_scope: False: no name scope is opened with it.
        caching_device, use_resource: change nothing.

    Variables are named by variable scopes only; ops by name scopes, which are made unique when a scope is entered
    again. As `tf.variable_scope`; it may decorate a function, too. Raises TypeError without name and default_name
    and for a name_or_scope of another type, ValueError for another reuse, and for one without a name_or_scope.

    >>> def dense(x):
    ...     with gc.variable_scope("dense", reuse=gc.AUTO_REUSE):
    ...         return gc.matmul(x, gc.get_variable("w", [2, 2]))
    >>> a, b = dense(gc.zeros([1, 2])), dense(gc.ones([1, 2]))
    >>> [v.name for v in gc.trainable_variables()], b.name
    (['dense/w:0'], 'dense_1/MatMul:0')
    """

    def __init__(self, name_or_scope: Any, default_name: Any = None, values: Sequence[Any] | None = None,
                 initializer: Any = None, regularizer: Any = None, caching_device: Any = None,
                 partitioner: Any = None, custom_getter: Any = None, reuse: Reuse = None, dtype: Any = None,
                 use_resource: bool | None = None, constraint: Any = None, auxiliary_name_scope: bool = True) -> None:
        if name_or_scope is None and default_name is None:
            raise TypeError("If default_name is None then name_or_scope is required")
        if name_or_scope is not None and not isinstance(name_or_scope, (str, VariableScope)):
            raise TypeError(f"variable_scope: argument 'name_or_scope' must be a string or VariableScope, "
                            f"but is {name_or_scope!r}")
        if name_or_scope is None and not isinstance(default_name, str):
            raise TypeError("variable_scope: argument 'default_name' must be a string or None, "
                            f"but is {default_name!r}")
        if reuse not in (None, False, True, AUTO_REUSE):
            raise ValueError("The reuse parameter must be True or False or None or gc.AUTO_REUSE.")
        if name_or_scope is None and reuse:
            raise ValueError("reuse=True cannot be used without a name_or_scope")
        if not isinstance(auxiliary_name_scope, bool):
            raise TypeError(f"The auxiliary_name_scope must be `True` or `False`, while get {auxiliary_name_scope}")
        self._where = name_or_scope
        self._default_name = default_name
        self._values = () if values is None else tuple(values)
        self._reuse = reuse or None
        self._opens_name_scope = auxiliary_name_scope
        given = {"initializer": initializer, "regularizer": regularizer, "caching_device": caching_device,
                 "partitioner": partitioner, "custom_getter": custom_getter, "constraint": constraint,
                 "dtype": None if dtype is None else as_dtype(dtype), "use_resource": use_resource}
        self._given = {key: value for key, value in given.items() if value is not None}
        self._exits: list[ExitStack] = []

    def __enter__(self) -> VariableScope:
        with ExitStack() as stack:
            graph = graph_of(self._values)
            if graph is not get_default_graph():
                stack.enter_context(graph.as_default())
            kept = store(graph)
            name = self._where
            if name is None:
                name = kept.unique(self._default_name or "")
            returning = isinstance(name, VariableScope)
            opened = stack.enter_context(graph.name_scope(self._name_scope(graph)))
            made = self._made(kept.thread.scope, name)
            if not returning:
                made.original_name_scope = opened if name or not self._opens_name_scope else ""
            stack.enter_context(kept.entering(made, returning))
            self._exits.append(stack.pop_all())
        return made

    def __exit__(self, *error: Any) -> None:
        self._exits.pop().__exit__(*error)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """As a decorator: the function's body runs inside the scope."""
        @wraps(function)
        def wrapped(*arguments: Any, **more: Any) -> Any:
            with self:
                return function(*arguments, **more)

        return wrapped

    def _name_scope(self, graph: Graph) -> str:
        """What the graph's name_scope is to be given; a scope as it is ends in a slash."""
        current = graph.get_name_scope()
        here = f"{current}/" if current else ""
        if not self._opens_name_scope:
            return here
        if isinstance(self._where, VariableScope):
            return self._where.name.rpartition("/")[2] or here
        return (self._default_name if self._where is None else self._where) or here

    def _made(self, current: VariableScope, where: str | VariableScope) -> VariableScope:
        base = where if isinstance(where, VariableScope) else current
        made = copy.copy(base)
        if isinstance(where, str):
            made._name = f"{current.name}/{where}" if current.name else where
        made._reuse = self._reuse or base.reuse
        for key, value in self._given.items():
            if key == "custom_getter" and base.custom_getter is not None:
                value = _chained(base.custom_getter, value)
            setattr(made, key, value)
        return made


def _chained(outer: Callable[..., Any], inner: Callable[..., Any]) -> Callable[..., Any]:
    """Custom getters of nested scopes: the inner one is called first, with the outer one as its getter."""
    def chained(getter: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        return inner(partial(outer, getter), *arguments, **more)

    return chained


@public("variable_op_scope")
def variable_op_scope(values: Sequence[Any], name_or_scope: Any, default_name: str | None = None,
                      initializer: Any = None, regularizer: Any = None, caching_device: Any = None,
                      partitioner: Any = None, custom_getter: Any = None, reuse: Reuse = None, dtype: Any = None,
                      use_resource: bool | None = None, constraint: Any = None) -> variable_scope:
    """`variable_scope` with the arguments in another order: deprecated in TF 1. As `tf.variable_op_scope`.

    Raises as `variable_scope`.

    >>> with gc.variable_op_scope([], "a"):
    ...     gc.get_variable("v", [1]).name
    'a/v:0'
    """
    return variable_scope(name_or_scope, default_name, values, initializer, regularizer, caching_device, partitioner,
                          custom_getter, reuse, dtype, use_resource, constraint)


@public("no_regularizer")
def no_regularizer(_: Any) -> None:
    """A regularizer that overrides the scope's by none. As `tf.no_regularizer`.

    >>> with gc.variable_scope("net", regularizer=gc.nn.l2_loss):
    ...     w, b = gc.get_variable("w", [2]), gc.get_variable("b", [2], regularizer=gc.no_regularizer)
    >>> len(gc.losses.get_regularization_losses())
    1
    """
