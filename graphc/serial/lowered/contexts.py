"""On which sides of which predicates each part of a region runs.

A Switch passes its data to one side; what gets that output, by data or control, runs only if that side is taken. The
other way round, a Merge runs if any of its inputs does. So a part's context is a conjunction of (predicate, side):

 - of a part, the contexts of all that it comes after, joined;
 - of the output of a Switch, that of the Switch and its own (predicate, side), the innermost;
 - of a Merge, what is left when contexts that differ only in the sides of one predicate, all of its sides, have been
   put together, again and again: of (p, true) and (p, false) nothing is left.

Predicates are told apart by where their value comes from, through Identities. ControlTrigger runs whatever its inputs
do. What comes after two sides of one predicate never runs, and a Merge passes on what is left.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphc.errors import UnimplementedError
from graphc.serial.lowered.parts import DEPTH_LIMIT, MERGES, PASSING, SWITCHES, Merge, Part, Region, port, source

Literal = tuple[str, int]           # a predicate and a side
Context = tuple[Literal, ...]       # the outermost first


@dataclass(frozen=True)
class _Input:
    """Of a Merge. number: its place among the inputs; -1: it is a Merge of some of them."""

    context: Context
    text: str
    number: int


class Contexts:
    """The contexts of a region's parts, which are given in an order in which inputs come first."""

    def __init__(self, region: Region, order: Sequence[str]) -> None:
        self.region = dict(region)                 # and Merges of some inputs of a Merge
        self.order: list[str] = []
        self.of: dict[str, Context | None] = {}    # None: it never runs, and is not in the order
        self.merges: dict[str, Merge] = {}
        self.texts: dict[str, str] = {}            # predicate -> an input that has its value
        self.sides: dict[str, int] = {}            # predicate -> how many sides it has
        self.aliases: set[str] = set()             # Switches, and Identities of their outputs: nothing to compute
        for name in order:
            self._add(region[name])

    def _add(self, part: Part) -> None:
        if part.op in MERGES:
            self._add_merge(part)
            return
        context = () if part.op == "ControlTrigger" else self._together(part)
        self.of[part.name] = context
        if context is None:
            return
        self.order.append(part.name)
        if len(context) > DEPTH_LIMIT:
            raise UnimplementedError(f"{part.op} '{part.name}': branches nest more than {DEPTH_LIMIT} deep")
        if part.op in SWITCHES:
            pred = self.origin(part.texts[1])
            self.texts.setdefault(pred, part.texts[1])
            self.sides[pred] = part.node.attr["num_outs"].i if part.op == "_SwitchN" and part.node else 2
        if part.op in SWITCHES or (part.op in PASSING and not part.waits and source(part.texts[0]) in self.aliases):
            self.aliases.add(part.name)

    def of_text(self, text: str) -> Context | None:
        """That of an input; None: it never comes."""
        found = self.of.get(source(text), ())
        part = self.region.get(source(text))
        if found is None or part is None or part.op not in SWITCHES:
            return found
        return _joined([found, ((self.origin(part.texts[1]), port(text)),)])

    def origin(self, text: str) -> str:
        """Where the value of an input comes from, as "node:output": not through Switches, for branches nest by them."""
        while True:
            part = self.region.get(source(text))
            if part is None or part.op not in ("Identity", "RefIdentity"):
                return f"{source(text)}:{text.partition(':')[2] or 0}"
            text = part.texts[0]

    def _together(self, part: Part) -> Context | None:
        """The contexts of all that a part comes after."""
        return _joined([*(self.of_text(t) for t in part.texts), *(self.of.get(w, ()) for w in part.waits)])

    def _add_merge(self, part: Part) -> None:
        """A Merge, and before it, where predicates nest, Merges of some of its inputs."""
        if len(part.texts) < 2:
            raise UnimplementedError(f"{part.op} '{part.name}' has one input; a Merge has one for each side")
        left = [_Input(context, t, i) for i, t in enumerate(part.texts) if (context := self.of_text(t)) is not None]
        if len(left) < 2:
            self.of[part.name] = None if not left else _joined([left[0].context, *(self.of.get(w) for w in part.waits)])
            if left:
                self.region[part.name] = Part(part.name, (left[0].text,), part.waits, part.node, only=left[0].number)
                self.order.append(part.name)
            return
        while len(left) > 1:
            found = next(self._complete(left), None)
            if found is None:
                raise UnimplementedError(f"{part.op} '{part.name}': its inputs {', '.join(part.texts)} are not those "
                                         "of all sides of a predicate, so that none of them may come, or several: "
                                         + "; ".join(_said(x.context) for x in left))
            pred, base, together = found
            left = [x for x in left if x not in together]
            name = f"\0{part.name}/{len(self.order)}" if left else part.name
            texts, numbers = tuple(x.text for x in together), tuple(x.number for x in together)
            self.region[name] = part if not left else Part(name, texts, (), part.node)
            self.merges[name] = Merge(self.region[name], pred, texts, numbers)
            self.of[name] = base
            self.order.append(name)
            left.append(_Input(base, name, -1))

    def _complete(self, left: Sequence[_Input]) -> Iterator[tuple[str, Context, list[_Input]]]:
        """(predicate, what is left, the inputs on its sides) where contexts differ in the side only, all sides being
        there: the innermost predicates first."""
        for one in left:
            for pred, _ in reversed(one.context):
                base = tuple(x for x in one.context if x[0] != pred)
                together = [x for x in left if {k: v for k, v in x.context if k != pred} == dict(base)
                            and len(x.context) > len(base)]
                together.sort(key=lambda x: dict(x.context)[pred])
                if [dict(x.context)[pred] for x in together] == list(range(self.sides[pred])):
                    yield pred, base, together


def _joined(contexts: Sequence[Context | None]) -> Context | None:
    """What holds where all of these do, the longest first, so that their order stays. None: they contradict."""
    found: dict[str, int] = {}
    for context in sorted(contexts, key=lambda c: -len(c or ())):
        if context is None or any(found.setdefault(pred, side) != side for pred, side in context):
            return None
    return tuple(found.items())


def _said(context: Context) -> str:
    return " and ".join(f"'{pred}' is {side}" for pred, side in context) or "always"
