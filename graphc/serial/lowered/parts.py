"""Parts of a region: the nodes of a file, and loops in place of frames.

A region is what runs together: a graph, a function, or one iteration of a loop. Its parts name each other as the nodes
of the file do: "node", "node:1", in functions "node:result:0".
"""
from __future__ import annotations

from dataclasses import dataclass, field

from graphc.ir.op import OPS, Effect
from graphc.serial.graph_pb2 import NodeDef

SWITCHES = ("Switch", "RefSwitch", "_SwitchN")
MERGES = ("Merge", "RefMerge")
ENTERS = ("Enter", "RefEnter")
EXITS = ("Exit", "RefExit")
NEXTS = ("NextIteration", "RefNextIteration")
PASSING = ("Identity", "RefIdentity", *ENTERS, *EXITS, *NEXTS)
CONTROL_FLOW = {*SWITCHES, *MERGES, *ENTERS, *EXITS, *NEXTS, "LoopCond"}
CALLS = ("PartitionedCall", "StatefulPartitionedCall")
CASES = ("Case", "StatelessCase")
DEPTH_LIMIT = 64       # of loops, and of branches, in each other
_RESULTS = {"output_false": 0, "output_true": 1, "value_index": 1}


def source(text: str) -> str:
    """The node that an input names."""
    return text.removeprefix("^").partition(":")[0]


def port(text: str) -> int:
    """Which output of a Switch or Merge an input names."""
    _, _, rest = text.partition(":")
    name, _, index = rest.partition(":")
    if not rest or name.isdigit():
        return int(name or 0)
    return _RESULTS.get(name, int(index or 0))


@dataclass(eq=False)
class Part:
    """A node with its inputs, those for control apart; or a loop, which comes after its Enters."""

    name: str
    texts: tuple[str, ...]
    waits: tuple[str, ...] = ()
    node: NodeDef | None = None
    loop: Loop | None = None
    only: int = -1                  # of a Merge: the number of the one input that can come
    after_effects: bool = False     # whether it, or anything that it comes after in its region, has an effect

    @property
    def op(self) -> str:
        return self.node.op if self.node is not None else ""

    def sources(self) -> list[str]:
        return [*(source(t) for t in self.texts), *self.waits]

    def has_effect(self) -> bool:
        if self.loop is not None:
            return any(p.has_effect() for p in (*self.loop.cond.values(), *self.loop.body.values()))
        return has_effect(self.op)


Region = dict[str, Part]


def part_of(node: NodeDef) -> Part:
    return Part(node.name, tuple(t for t in node.input if not t.startswith("^")),
                tuple(t[1:] for t in node.input if t.startswith("^")), node)


def has_effect(op: str) -> bool:
    """Whether a node of this type does something besides giving a value."""
    return op in ("StatefulPartitionedCall", "Case") or (op in OPS and OPS[op].effect in (Effect.WRITE, Effect.HOST))


@dataclass(frozen=True)
class Carried:
    """A value that a loop carries. enter: the node that gives the first one, merge: the node that stands for it in the
    frame; next: the text of what follows it, after the nodes in `waits`."""

    enter: str
    merge: str
    next: str
    waits: tuple[str, ...]


@dataclass(eq=False)
class Loop:
    """A frame. test: the text of its condition. switches: of its own Switches, the text of what they pass on.
    constants: of each Enter that gives the same value in every iteration, its own name. exits: name -> carried value.
    """

    frame: str
    carried: list[Carried] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    switches: dict[str, str] = field(default_factory=dict)
    exits: dict[str, int] = field(default_factory=dict)
    test: str = ""
    cond: Region = field(default_factory=dict)
    body: Region = field(default_factory=dict)


@dataclass(frozen=True)
class Merge:
    """A Merge as a result of a branch on `pred`. inputs: on each side, the text of the value; numbers: its place among
    the node's inputs, -1: the value comes from a Merge, which tells."""

    part: Part
    pred: str
    inputs: tuple[str, ...]
    numbers: tuple[int, ...]


@dataclass(eq=False)
class Branch:
    """pred: the text of a bool, or with more than two sides of a number. sides[i]: what runs if it is i."""

    pred: str
    sides: list[list[Step]]
    merges: list[Merge]


Step = Part | Branch
