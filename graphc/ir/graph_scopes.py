"""What is in force where an operation is made: the names in use, and a graph's scopes for the `with` statement."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from graphc.ir import names
from graphc.ir.device import merge_devices
from graphc.ir.locks import new_reentrant_lock
from graphc.ir.scopes import ControlScope, ThreadScopes
from graphc.ir.tensor import Tensor


class GraphScopes:
    """The part of a Graph that scopes need."""

    def __init__(self) -> None:
        self._lock = new_reentrant_lock()
        self._names = names.NamePool()
        self._scopes = ThreadScopes()

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        raise NotImplementedError

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """`name` under the current name scope, made unique. Case is ignored when comparing."""
        scope = self._scopes.name
        return self._names.unique(f"{scope}/{name}" if scope else name, mark_as_used)

    def mark_name(self, name: str) -> None:
        """A full name that was not made here (an imported node's) is in use from now on."""
        self._names.unique(name)

    def is_free(self, name: str) -> bool:
        """Whether no operation or scope has this full name, whatever its case."""
        return self._names.is_free(name)

    @property
    def _name_stack(self) -> str:
        return self._scopes.name

    def get_name_scope(self) -> str:
        return self._scopes.name

    @contextmanager
    def name_scope(self, name: str | None) -> Iterator[str]:
        """Operations made inside are named "scope/...". Yields the scope with its slash; "" or None: the top."""
        if name and not name.endswith("/"):
            names.check_scope_name(name) if self._scopes.name else names.check_op_name(name)
        old = self._scopes.name
        if not name:
            self._scopes.name = ""
        elif name.endswith("/"):
            self._scopes.name = names.without_slash(name)
        else:
            with self._lock:
                self._scopes.name = self.unique_name(name)
        try:
            yield f"{self._scopes.name}/" if self._scopes.name else ""
        finally:
            self._scopes.name = old

    def control_dependencies(self, control_inputs: Sequence[Any] | None) -> AbstractContextManager[None]:
        """Operations made inside run after `control_inputs` (operations, tensors, variables). None: after nothing."""
        return self._control_scope(control_inputs)

    @contextmanager
    def _control_scope(self, control_inputs: Sequence[Any] | None) -> Iterator[None]:
        old_controls, old_name = self._scopes.controls, self._scopes.name
        if control_inputs is None:
            self._scopes.controls = []
        else:
            elements = [self.as_graph_element(_unwrap_slices(c)) for c in control_inputs]
            operations = [e.op if isinstance(e, Tensor) else e for e in elements]
            self._scopes.controls = [*old_controls, ControlScope(list(dict.fromkeys(operations)))]
        try:
            yield
        finally:
            self._scopes.controls, self._scopes.name = old_controls, old_name

    @contextmanager
    def gradient_override_map(self, op_type_map: dict[str, str]) -> Iterator[None]:
        """Operations made inside, of a type that is a key, have the gradient registered under the name beside it, as
        `tf.Graph.gradient_override_map` (gc.RegisterGradient)."""
        if not isinstance(op_type_map, dict) or not all(isinstance(x, str) for x in (*op_type_map,
                                                                                      *op_type_map.values())):
            raise TypeError("op_type_map must be a dictionary mapping strings to strings")
        old = self._scopes.gradient_names
        self._scopes.gradient_names = {**old, **op_type_map}
        try:
            yield
        finally:
            self._scopes.gradient_names = old

    @property
    def variable_creators(self) -> list[Any]:
        """What stands between gc.Variable and the variable that is made, the outermost first."""
        return self._scopes.variable_creators

    @contextmanager
    def _variable_creator_scope(self, creator: Any) -> Iterator[None]:
        """Inside, variables are made by creator(next_creator, **arguments)."""
        self.variable_creators.append(creator)
        try:
            yield
        finally:
            self.variable_creators.remove(creator)

    @property
    def container_name(self) -> str:
        return self._scopes.container

    @contextmanager
    def container(self, container_name: str) -> Iterator[str]:
        """Recorded on the variables made inside. It changes nothing: variables belong to their session."""
        old = self._scopes.container
        self._scopes.container = container_name
        try:
            yield container_name
        finally:
            self._scopes.container = old

    @contextmanager
    def device(self, device_name_or_function: Any) -> Iterator[None]:
        """Records the device ("/cpu:0", "/gpu:0") on the operations made inside. None: none."""
        old = self._scopes.devices
        self._scopes.devices = ([] if device_name_or_function is None
                                else [*old, device_name_or_function])
        try:
            yield
        finally:
            self._scopes.devices = old

    def device_in_scope(self) -> str:
        """The device that the scopes give an operation made now, "" for none; functions in them aren't asked."""
        return merge_devices(self._scopes.devices)

    @contextmanager
    def colocate_with(self, op: Any, ignore_existing: bool = False) -> Iterator[None]:
        """Operations made inside take the device of `op`. ignore_existing changes nothing: no other op's device is
        kept."""
        element = self.as_graph_element(op)
        with self.device(element.device or None) if element.device else _nothing():
            yield


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _unwrap_slices(value: Any) -> Any:
    """IndexedSlices stand for their values tensor."""
    return value.values if hasattr(value, "dense_shape") and hasattr(value, "indices") else value
