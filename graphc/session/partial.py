"""Runs in parts (`Session.partial_run`): each operation is computed once, in the first part that needs it.

A part is a run of its own: it fetches, besides what was asked for, the tensors that later parts will need of it, and
those parts are fed them. So a later part computes only what is new.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphc import errors
from graphc.ir.dtypes import resource, variant
from graphc.ir.op import Effect
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.control.control import bodies
from graphc.passes.snapshot.needed import needed_operations
from graphc.session.feeds import flatten_feeds
from graphc.session.fetches import Fetches

SETUP = "partial_run_setup"


class PartialRun:
    """What one partial_run_setup allows, and what its parts have done so far."""

    def __init__(self, session: Any, fetches: Any, feeds: Sequence[Any]) -> None:
        self._session = session
        self._pending_feeds = {session._fed(key) for key in feeds}
        asked = Fetches(fetches, lambda part: session._element(part, list(self._pending_feeds)))
        self._pending: set[Tensor | Operation] = {*asked.tensors, *asked.operations}
        if not self._pending:
            raise errors.InvalidArgumentError(f"{SETUP}: specify at least one fetch")
        self._whole = needed_operations(asked.tensors, asked.operations, self._pending_feeds)
        self._values: dict[Tensor, Any] = {}              # fed, or kept of earlier parts
        self._done: set[Operation] = set()

    @property
    def finished(self) -> bool:
        """Whether everything has been fetched."""
        return not self._pending

    def run(self, fetches: Any, feed_dict: Mapping[Any, Any] | None) -> Any:
        """One part. Raises InvalidArgumentError for what the setup did not name, or what was fed or fetched before."""
        fed = {self._session._fed(key): value for key, value in flatten_feeds(feed_dict or {}).items()}
        for tensor in fed:
            if tensor in self._values:
                raise errors.InvalidArgumentError(f"The feed {tensor.name} has already been fed.", tensor.op)
            if tensor not in self._pending_feeds:
                raise errors.InvalidArgumentError(f"The feed {tensor.name} was not specified in {SETUP}.", tensor.op)
        asked = Fetches(fetches, lambda part: self._session._element(part, list(fed)))
        elements: list[Tensor | Operation] = [*asked.tensors, *asked.operations]
        for element in elements:
            if element not in self._pending:
                raise errors.InvalidArgumentError(
                    f"The fetch {element.name} was not specified in {SETUP}, or has already been fetched.",
                    getattr(element, "op", element))
        values = {**self._values, **fed}
        needed = needed_operations(asked.tensors, asked.operations, set(values))
        self._check(needed, self._pending_feeds - set(fed))
        kept = self._to_keep([op for op in needed if op not in self._done], set(values))
        results, more = self._session.run((fetches, kept), values)
        self._pending_feeds -= set(fed)
        self._pending.difference_update(elements)
        self._values = {**values, **dict(zip(kept, more, strict=True))}
        self._done.update(needed)
        return results

    def _check(self, needed: Iterable[Operation], missing: set[Tensor]) -> None:
        for operation in needed:
            for tensor in operation.outputs:
                if tensor in missing:
                    raise errors.InvalidArgumentError(
                        f"A fetch can't be computed from the feeds that have been fed so far: {tensor.name} is not fed",
                        operation)
            if operation in self._done and _has_effect(operation):
                raise errors.UnimplementedError(
                    f"partial_run: {operation.name} ({operation.type}) ran in an earlier part, and this part depends "
                    "on it in a way that would run it again (a control dependency, or a variable that it passes on); "
                    "fetch both in one part", operation)

    def _to_keep(self, computed: Sequence[Operation], known: set[Tensor]) -> list[Tensor]:
        """Of what this part computes, what operations of later parts use."""
        now = set(computed) | self._done
        return [tensor for operation in computed for tensor in operation.outputs
                if tensor not in known and tensor.dtype not in (resource, variant)
                and operation.type not in ("Const", "VariableV2")
                and any(user in self._whole and user not in now for user in tensor._consumers)]


def _has_effect(operation: Operation) -> bool:
    """Whether running it twice is not the same as once."""
    if operation.definition.effect in (Effect.WRITE, Effect.HOST):
        return True
    return any(_has_effect(inner) for body in bodies(operation.definition) for inner in body.get_operations())
