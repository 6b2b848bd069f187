"""Runs in parts (`Session.partial_run`): each operation is computed once, in the first part that needs it.

A part is a run of its own: it fetches, besides what was asked for, the tensors that later parts will need of it, and
those parts are fed them. So a later part computes only what is new. What a part does follows from the setup and from
what came before it; both are kept, so that the graph is walked once for each kind of run and not in every one.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphc import errors
from graphc.ir.dtypes import resource, variant
from graphc.ir.op import Effect
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.control.control import bodies
from graphc.passes.snapshot.needed import needed_operations
from graphc.session.feeds import flatten_feeds
from graphc.session.fetches import Fetches, fetch_key

SETUP = "partial_run_setup"
SETUPS_KEPT = 64          # of a session


@dataclass
class Point:
    """Where a run in parts stands: which operations have been computed, which tensors known, what is still to be fed
    and fetched. parts: what the next part does, by what it fetches and is fed; found once, kept for later runs."""

    done: set[Operation]
    known: set[Tensor]
    feeds: set[Tensor]
    fetches: set[Tensor | Operation]
    parts: dict[Any, Part] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """What it keeps of its run for later parts, and where the run stands behind it."""

    kept: list[Tensor]
    after: Point


@dataclass(frozen=True)
class Setup:
    """What a partial_run_setup allows: the operations that all its parts together need, and where it begins."""

    whole: set[Operation]
    start: Point


def setup(session: Any, fetches: Any, fed: frozenset[Tensor]) -> Setup:
    """Raises InvalidArgumentError if nothing is to be fetched."""
    asked = Fetches(fetches, lambda part: session._element(part, list(fed)))
    if not asked.tensors and not asked.operations:
        raise errors.InvalidArgumentError(f"{SETUP}: specify at least one fetch")
    return Setup(set(needed_operations(asked.tensors, asked.operations, set(fed))),
                 Point(set(), set(), set(fed), {*asked.tensors, *asked.operations}))


class PartialRun:
    """One run in parts, and what its parts have done so far."""

    def __init__(self, session: Any, allowed: Setup) -> None:
        self._session = session
        self._whole, self._at = allowed.whole, allowed.start
        self._values: dict[Tensor, Any] = {}              # fed, or kept of earlier parts

    @property
    def finished(self) -> bool:
        """Whether everything has been fetched."""
        return not self._at.fetches

    def run(self, fetches: Any, feed_dict: Mapping[Any, Any] | None) -> Any:
        """One part. Raises InvalidArgumentError for what the setup did not name, or what was fed or fetched before."""
        fed = {self._session._fed(key): value for key, value in flatten_feeds(feed_dict or {}).items()}
        key = fetch_key(fetches), frozenset(fed)
        part = self._at.parts.get(key)
        if part is None:
            part = self._at.parts[key] = self._part(fetches, set(fed))
        values = {**self._values, **fed}
        results, more = self._session.run((fetches, part.kept), values)
        self._values = {**values, **dict(zip(part.kept, more, strict=True))}
        self._at = part.after
        return results

    def _part(self, fetches: Any, fed: set[Tensor]) -> Part:
        at = self._at
        for tensor in fed:
            if tensor in at.known:
                raise errors.InvalidArgumentError(f"The feed {tensor.name} has already been fed.", tensor.op)
            if tensor not in at.feeds:
                raise errors.InvalidArgumentError(f"The feed {tensor.name} was not specified in {SETUP}.", tensor.op)
        asked = Fetches(fetches, lambda part: self._session._element(part, list(fed)))
        elements: list[Tensor | Operation] = [*asked.tensors, *asked.operations]
        for element in elements:
            if element not in at.fetches:
                raise errors.InvalidArgumentError(
                    f"The fetch {element.name} was not specified in {SETUP}, or has already been fetched.",
                    getattr(element, "op", element))
        known = at.known | fed
        needed = needed_operations(asked.tensors, asked.operations, known)
        self._check(needed, at.feeds - fed)
        kept = self._to_keep([op for op in needed if op not in at.done], known)
        return Part(kept, Point(at.done | set(needed), known | set(kept), at.feeds - fed,
                                at.fetches.difference(elements)))

    def _check(self, needed: Iterable[Operation], missing: set[Tensor]) -> None:
        for operation in needed:
            for tensor in operation.outputs:
                if tensor in missing:
                    raise errors.InvalidArgumentError(
                        f"A fetch can't be computed from the feeds that have been fed so far: {tensor.name} is not fed",
                        operation)
            if operation in self._at.done and _has_effect(operation):
                raise errors.UnimplementedError(
                    f"partial_run: {operation.name} ({operation.type}) ran in an earlier part, and this part depends "
                    "on it in a way that would run it again (a control dependency, or a variable that it passes on); "
                    "fetch both in one part", operation)

    def _to_keep(self, computed: Sequence[Operation], known: set[Tensor]) -> list[Tensor]:
        """Of what this part computes, what operations of later parts use."""
        now = set(computed) | self._at.done
        return [tensor for operation in computed for tensor in operation.outputs
                if tensor not in known and tensor.dtype not in (resource, variant)
                and operation.type not in ("Const", "VariableV2")
                and any(user in self._whole and user not in now for user in tensor._consumers)]


def _has_effect(operation: Operation) -> bool:
    """Whether running it twice is not the same as once."""
    if operation.definition.effect in (Effect.WRITE, Effect.HOST):
        return True
    return any(_has_effect(inner) for body in bodies(operation.definition) for inner in body.get_operations())
