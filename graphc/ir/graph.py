"""Graph: the user's program, append-only.

Operations are verified when they are added (names, graph, dtypes, shapes) and never change. Writing is guarded by a
lock; the stacks of name scopes, control dependencies and devices belong to one thread each (ir/graph_scopes.py). The
compiler works on a snapshot.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from graphc.errors import NotFoundError, built_at
from graphc.ir import names
from graphc.ir.device import assign_device, merge_devices
from graphc.ir.graph_scopes import GraphScopes
from graphc.ir.infer import infer_outputs
from graphc.ir.late_imports import load
from graphc.ir.locks import new_lock
from graphc.ir.names import GraphKeys as GraphKeys
from graphc.ir.op import Op
from graphc.ir.scopes import control_inputs_for
from graphc.ir.spec import Spec
from graphc.ir.stacks import default_graphs
from graphc.ir.tensor import Operation as Operation
from graphc.ir.tensor import Tensor as Tensor
from graphc.ir.user_frame import user_line


class Graph(GraphScopes):
    """A symbolic program: operations that are only added, and run by a Session.

    `with graph.as_default():` is where what is built inside belongs. Names are unique; scopes, collections, seeds and
    control dependencies are a graph's own. As `tf.Graph`. get_tensor_by_name and get_operation_by_name raise
    NotFoundError for what is not there, ValueError for what is no such name, TypeError for what is no string; a
    finalized graph raises RuntimeError where an operation is added.

    >>> graph = gc.Graph()
    >>> with graph.as_default():
    ...     y = gc.add(1, 2, name="y")
    >>> [operation.name for operation in graph.get_operations()]
    ['y/x', 'y/y', 'y']
    >>> with gc.Session(graph=graph) as session:
    ...     session.run("y:0")
    np.int32(3)
    """

    def __init__(self) -> None:
        super().__init__()
        load("graphc.api.methods")              # whoever has a graph has ops, and tensors with operators
        self._operations: dict[str, Operation] = {}
        self._collections: dict[Any, list[Any]] = {}
        self._finalized = False
        self._unfeedable: set[Tensor] = set()
        self._unfetchable: set[Operation] = set()
        self.seed: int | None = None
        self.functions: dict[str, Any] = {}     # FuncGraphs by name: bodies of loops and branches
        self.brought_out: dict[str, Callable[[], None]] = {}   # names of operations that are made when asked for

    # Building.

    def create(self, op: Op, inputs: Sequence[Tensor], name: str | None = None, *,
               control_inputs: Sequence[Operation] = (), specs: Sequence[Spec] | None = None,
               device: str | None = None) -> Operation:
        """Adds an operation. `inputs` are TF's inputs in TF's order, those that are fields of `op` included.

        A name ending in "/" is used as it is; others get the scope in front and are made unique. specs: the outputs'
        specs, if they are not to be inferred (captures, loops). Raises ValueError or TypeError, with the user's line.
        """
        origin = user_line()
        with self._lock:
            self._check_not_finalized()
            inputs = [self._own(t, op) for t in inputs]
            name = name or op.type.lstrip("_")
            if name.endswith("/"):
                full = names.without_slash(name)
            else:
                names.check_op_name(name) if not self._scopes.name else names.check_scope_name(name)
                full = self.unique_name(name)
            if full in self._operations:
                raise ValueError(f"an operation named '{full}' is in the graph already")
            if specs is None:
                specs = infer_outputs(op, inputs, full, origin)
            controls = [c for c in self._own_controls(control_inputs) if c is not None]
            for implied in control_inputs_for(self._scopes.controls, [t.op for t in inputs]):
                if implied not in controls:
                    controls.append(implied)
            place = merge_devices(self._scopes.devices) if device is None else device
            operation = Operation(self, full, op, inputs, controls, specs, place, origin, len(self._operations))
            if device is None and any(callable(d) for d in self._scopes.devices):
                assign_device(operation, self._scopes.devices)
            operation.gradient_name = self._scopes.gradient_names.get(op.type)
            self._operations[full] = operation
            for scope in self._scopes.controls:
                scope.members.add(operation)
            return operation

    def _own(self, tensor: Any, op: Op) -> Tensor:
        """`tensor` as one of this graph. A FuncGraph captures those of the graphs around it."""
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{op.type}: {tensor!r} is not a Tensor")
        if tensor.graph is not self:
            raise ValueError(f"{op.type}: {tensor!r} belongs to another graph than the one in use; build all of it "
                             f"inside one `with graph.as_default():`{built_at(tensor.op)}")
        return tensor

    def _own_controls(self, operations: Sequence[Operation]) -> list[Operation]:
        for operation in operations:
            if operation.graph is not self:
                raise ValueError(f"control input {operation.name!r} belongs to another graph than the one in use")
        return list(operations)

    def as_default(self) -> AbstractContextManager[Graph]:
        """This graph is the default one inside the `with` block, for this thread."""
        return default_graphs.entered(self)

    def finalize(self) -> None:
        """No operation can be added any more."""
        self._finalized = True

    def _unsafe_unfinalize(self) -> None:
        self._finalized = False

    @property
    def finalized(self) -> bool:
        """Whether no operation can be added any more."""
        return self._finalized

    def _check_not_finalized(self) -> None:
        if self._finalized:
            raise RuntimeError("Graph is finalized and cannot be modified: something adds operations after "
                               "graph.finalize(). Often it is a call inside the training loop (session.run(gc.argmax("
                               "...)), optimizer.minimize, an initializer made late): build all of it once, before")

    @contextmanager
    def undone_on_error(self) -> Iterator[None]:
        """What is built inside the block is taken back if an exception leaves it."""
        with self._lock:
            count, used, functions = len(self._operations), self._names.copy(), dict(self.functions)
            brought_out = dict(self.brought_out)
            try:
                yield
            except BaseException:
                for name in list(self._operations)[count:]:
                    operation = self._operations.pop(name)
                    for tensor in operation.inputs:
                        tensor._consumers = [c for c in tensor._consumers if c is not operation]
                self._names, self.functions, self.brought_out = used, functions, brought_out
                raise

    @property
    def version(self) -> int:
        """Grows with every operation."""
        return len(self._operations)

    @property
    def building_function(self) -> bool:
        """Whether this is the body of a loop, branch or function."""
        return False

    # Looking up.

    def get_operations(self) -> list[Operation]:
        """All operations, in the order of their making."""
        with self._lock:
            return list(self._operations.values())

    def get_operation_by_name(self, name: str) -> Operation:
        """Raises KeyError (NotFoundError) with the nearest names if there is none."""
        if not isinstance(name, str):
            raise TypeError(f"operation names are strings, not {type(name).__name__}")
        found = self.as_graph_element(name, allow_tensor=False, allow_operation=True)
        assert isinstance(found, Operation)
        return found

    def get_tensor_by_name(self, name: str) -> Tensor:
        """Raises KeyError (NotFoundError) for an unknown name, ValueError for one that is no tensor's."""
        if not isinstance(name, str):
            raise TypeError(f"tensor names are strings, not {type(name).__name__}")
        found = self.as_graph_element(name, allow_tensor=True, allow_operation=False)
        assert isinstance(found, Tensor)
        return found

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        """The Tensor or Operation that `obj` (one, a name, or something made of one such as a Variable) stands for."""
        wanted = " or ".join(w for w, ok in (("Tensor", allow_tensor), ("Operation", allow_operation)) if ok)
        convert = getattr(obj, "_as_graph_element", None)
        if convert is not None:
            obj = convert()
        if isinstance(obj, str):
            return self._element_by_name(obj, allow_tensor, allow_operation, wanted)
        if (isinstance(obj, Tensor) and allow_tensor) or (isinstance(obj, Operation) and allow_operation):
            if obj.graph is not self:
                raise ValueError(f"{type(obj).__name__} {obj} is not an element of this graph.")
            return obj
        raise TypeError(f"Can not convert a {type(obj).__name__} into a {wanted}.")

    def _element_by_name(self, name: str, allow_tensor: bool, allow_operation: bool, wanted: str) -> Any:
        if ":" in name:
            if not allow_tensor:
                raise ValueError(f"Name {name!r} appears to refer to a Tensor, not a {wanted}.")
            op_name, _, index = name.partition(":")
            if not index.isdigit():
                raise ValueError(f"The name {name!r} looks like a Tensor name, but is not a valid one. "
                                 'Tensor names must be of the form "<op_name>:<output_index>".')
            operation = self._find(op_name)
            if operation is None:
                raise NotFoundError(f"The name {name!r} refers to a Tensor which does not exist. The operation, "
                                    f"{op_name!r}, does not exist in the graph{self._nearest(op_name)}")
            if int(index) >= len(operation.outputs):
                raise NotFoundError(f"The name {name!r} refers to a Tensor which does not exist. The operation, "
                                    f"{op_name!r}, exists but only has {len(operation.outputs)} outputs.")
            return operation.outputs[int(index)]
        operation = self._find(name)
        if allow_operation:
            if operation is None:
                raise NotFoundError(f"The name {name!r} refers to an Operation not in the graph{self._nearest(name)}")
            return operation
        if operation is not None:
            raise ValueError(
                f"The name {name!r} refers to an Operation, not a {wanted}; its first output is '{name}:0'."
            )
        raise ValueError(
            f"The name {name!r} looks like an (invalid) Operation name, not a {wanted}. Tensor names must be "
            f'of the form "<op_name>:<output_index>"{self._nearest(name)}'
        )

    def _find(self, name: str) -> Operation | None:
        with self._lock:
            make = self.brought_out.pop(name, None) if name not in self._operations else None
            if make is not None:
                make()
            return self._operations.get(name)

    def _nearest(self, name: str) -> str:
        return names.suggestion(name, self._operations) or "."

    # Feeding and fetching.

    def prevent_feeding(self, tensor: Tensor) -> None:
        """From now on feeding this tensor is an error."""
        self._unfeedable.add(tensor)

    def is_feedable(self, tensor: Tensor) -> bool:
        """Whether the tensor may be fed."""
        return tensor not in self._unfeedable

    def prevent_fetching(self, op: Operation) -> None:
        """From now on fetching this operation is an error."""
        self._unfetchable.add(op)

    def is_fetchable(self, tensor_or_op: Any) -> bool:
        """Whether the tensor or operation may be fetched."""
        return getattr(tensor_or_op, "op", tensor_or_op) not in self._unfetchable

    # Collections.

    def add_to_collection(self, name: Any, value: Any) -> None:
        """Adds `value` to the collection `name`, which is made if it is not there."""
        self._check_not_finalized()
        with self._lock:
            self._collections.setdefault(name, []).append(value)

    def add_to_collections(self, names: Any, value: Any) -> None:
        """Adds `value` to every collection of `names` (one name, or several)."""
        for name in dict.fromkeys((names,) if isinstance(names, str) else names):
            self.add_to_collection(name, value)

    def get_collection(self, name: Any, scope: str | None = None) -> list[Any]:
        """A copy of the collection. scope: only what has a name that matches this regular expression at its start."""
        found = list(self._collections.get(name, ()))
        if scope is None:
            return found
        pattern = re.compile(scope)
        return [item for item in found if hasattr(item, "name") and pattern.match(item.name)]

    def get_collection_ref(self, name: Any) -> list[Any]:
        """The collection itself."""
        return self._collections.setdefault(name, [])

    def get_all_collection_keys(self) -> list[Any]:
        """The names of the collections that hold something."""
        return [key for key in self._collections if isinstance(key, str)]

    @property
    def collections(self) -> list[Any]:
        """The names of the collections, as get_all_collection_keys gives them."""
        return list(self._collections)

    def clear_collection(self, name: Any) -> None:
        """Takes everything out of the collection."""
        self._collections.pop(name, None)


def get_default_graph() -> Graph:
    """The graph of the innermost `with graph.as_default()` of this thread; the process' global graph if there is none.

    As `tf.get_default_graph`.

    >>> x = gc.constant(1.)
    >>> x.graph is gc.get_default_graph()
    True
    """
    found = default_graphs.get()
    return found if found is not None else _global_graph()


def _global_graph() -> Graph:
    global _GLOBAL
    with _GLOBAL_LOCK:
        if _GLOBAL is None:
            _GLOBAL = Graph()
        return _GLOBAL


def reset_default_graph() -> None:
    """A new, empty global graph; what was built before belongs to the old one. As `tf.reset_default_graph`.

    Raises AssertionError inside `with graph.as_default()`.

    >>> x = gc.placeholder(gc.float32, name="x")
    >>> gc.reset_default_graph()
    >>> gc.placeholder(gc.float32, name="x").name
    'x:0'
    """
    global _GLOBAL
    if default_graphs.stack:
        raise AssertionError("reset_default_graph() cannot be used inside `with graph.as_default():` or a session's "
                             "`with` block; leave the block first")
    with _GLOBAL_LOCK:
        _GLOBAL = None


_GLOBAL: Graph | None = None
_GLOBAL_LOCK = new_lock()
