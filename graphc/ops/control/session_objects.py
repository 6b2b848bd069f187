"""Objects that belong to a session (queues, lookup tables): the ops that make one, and those that use it.

The handle is no value of a run: taking a snapshot finds the op that made it (passes/snapshot), and what is left is a
call of the session's object (session/resources/objects.py), an effect on the host.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from graphc.errors import UnimplementedError
from graphc.ir.dtypes import DType, resource
from graphc.ir.op import Effect, Op
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec
from graphc.ops.control.script import GuessedRanks

if TYPE_CHECKING:
    from graphc.ir.graph import Operation


class SessionObject(Op):
    """Makes an object. kind: what messages call it."""

    effect = Effect.READ
    results = ("handle",)
    kind: ClassVar[str]
    shared_name: str

    def infer(self, *inputs: Spec) -> Spec:
        return Spec(resource, ())

    def result_dtypes(self, *inputs: Spec) -> tuple[DType, ...]:
        return (resource,)


class ObjectUse(Op):
    """What is done with an object of class `uses`. call: the method of the session's object. hands: of what class the
    objects are that the others of its operands are the handles of."""

    effect = Effect.HOST
    uses: ClassVar[type[SessionObject]]
    hands: ClassVar[type[SessionObject]] = SessionObject
    call: ClassVar[str]

    @property
    def guessed(self) -> GuessedRanks | None:
        """The ranks of the results, if they may be guesses."""
        return None

    def call_options(self) -> tuple[Any, ...]:
        """The last arguments of the call."""
        return ()

    def results_of(self, maker: Operation, inputs: Sequence[Spec]) -> tuple[Spec, ...]:
        """The results' Specs, given the op that made the object."""
        return tuple(self.infer(Spec(resource, ()), *inputs))  # type: ignore[arg-type]


@dataclass(frozen=True)
class ObjectCall:
    """What a plan calls: a method of the object `owner`, which `bind` finds in a session. constants: what the op that
    makes it was given. others: more objects that the method works on, its last arguments. guessed: of the results, if
    their ranks may be guesses."""

    owner: str
    definition: SessionObject
    seed: int | None
    method: str
    options: tuple[Any, ...]
    name: str
    constants: tuple[Any, ...] = ()
    others: tuple[ObjectCall, ...] = ()
    guessed: GuessedRanks | None = None

    def bind(self, objects: Any) -> Any:
        """The function for the session that owns `objects` (session/resources/objects.py)."""
        return objects.function(self)

    def __call__(self, *arrays: Any) -> Any:
        raise UnimplementedError(f"the {self.definition.kind} '{self.owner}' belongs to a session; run '{self.name}' "
                                 "in one")
