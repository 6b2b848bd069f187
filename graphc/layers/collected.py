"""The losses and updates of a layer, and the graph's collections of them."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc


class Collected:
    """The part of Layer that keeps losses (of regularizers) and updates (of moving averages)."""

    trainable = True
    stateful = False
    _losses: list[Any]
    _updates: list[Any]
    _inputs: list[Any]

    def __new__(cls, *arguments: Any, **more: Any) -> Any:
        made = super().__new__(cls)
        made._losses, made._updates, made._inputs = [], [], []
        return made

    @property
    def losses(self) -> list[Any]:
        """The losses of its regularizers."""
        return list(self._losses)

    @property
    def updates(self) -> list[Any]:
        """The ops that keep moving averages up to date; none if the layer is not trainable."""
        return list(self._updates) if self.trainable or self.stateful else []

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Adds losses, tensors or functions that make them, also to the collection REGULARIZATION_LOSSES. inputs need
        not be said: the graph tells what a loss depends on."""
        made = [loss() if callable(loss) else loss for loss in gc.nest.flatten(losses)]
        new = [gc.convert_to_tensor(loss) for loss in made if loss is not None]
        self._losses += new
        _add_new(new, gc.GraphKeys.REGULARIZATION_LOSSES)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Adds updates: ops, tensors, or functions that make them. They go to UPDATE_OPS at the end of the call. inputs
        need not be said."""
        given = updates if isinstance(updates, (list, tuple)) else [updates]
        for update in given:
            self._updates.append(update() if isinstance(update, Callable) else update)  # type: ignore[arg-type]

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """The losses that depend on these inputs; None: those that depend on no input."""
        return self._depending(self.losses, inputs)

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates that depend on these inputs; None: those that depend on no input."""
        return self._depending(self.updates, inputs)

    def _depending(self, made: Sequence[Any], inputs: Any) -> list[Any]:
        if inputs is None:
            return [m for m in made if not _depends(m, self._inputs)]
        return [m for m in made if _depends(m, gc.nest.flatten(inputs))]

    def _publish_updates(self) -> None:
        _add_new(self.updates, gc.GraphKeys.UPDATE_OPS)


def _add_new(elements: Sequence[Any], key: str) -> None:
    if not elements:
        return
    collection = gc.get_collection_ref(key)
    known = set(map(id, collection))
    collection.extend(e for e in elements if id(e) not in known)


def _depends(made: Any, sources: Sequence[Any]) -> bool:
    """Whether a tensor or op is computed from one of the sources."""
    wanted = set(sources)
    waiting = [made if isinstance(made, gc.Operation) else made.op]
    seen = set(waiting)
    while waiting:
        operation = waiting.pop()
        if wanted.intersection(operation.inputs) or wanted.intersection(operation.outputs):
            return True
        before = {t.op for t in operation.inputs} | set(operation.control_inputs)
        waiting += before - seen
        seen |= before
    return False
