"""The stacks that belong to one thread building one graph: name scope, control dependencies, devices, gradients."""
from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphc.ir.tensor import Operation


class ControlScope:
    """One `with control_dependencies(...)` block; members are the operations made inside it."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = tuple(operations)
        self.members: set[Operation] = set()


class ThreadScopes(threading.local):
    def __init__(self) -> None:
        self.name = ""
        self.controls: list[ControlScope] = []
        self.devices: list[Any] = []
        self.gradient_names: dict[str, str] = {}      # op type -> name of a registered gradient
        self.variable_creators: list[Any] = []
        self.container = ""


def control_inputs_for(scopes: Iterable[ControlScope], inputs: Sequence[Operation]) -> list[Operation]:
    """What a new operation must wait for: a scope is left out if an input was made inside it and so waits already."""
    found: list[Operation] = []
    for scope in scopes:
        if not any(op in scope.members for op in inputs):
            found += [op for op in scope.operations if op not in inputs and op not in found]
    return found
