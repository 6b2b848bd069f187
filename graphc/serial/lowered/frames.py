"""Nodes -> a region of parts: every frame becomes a loop.

TensorFlow 1 writes a loop as nodes in a frame: Enter brings a value into it, Exit out of it, and

    Enter -> Merge -> Switch -> (true) the body -> NextIteration -> Merge
               |         '----> (false) Exit
               '-> the condition -> LoopCond -> Switch

 1. A node's frame is that of its inputs: walking from nodes without inputs on, Enter leads into its frame, Exit into
    the one around; the edge from NextIteration back to Merge is not followed.
 2. A frame's Merges with a NextIteration are the values that its loop carries; an Enter without such a Merge is a
    constant of the loop.
 3. What LoopCond needs is the region of the condition, what the NextIterations need that of the body. Both start from
    the carried values, so a node that both need is computed in both; one with an effect cannot be.
 4. In the region around the frame the loop stands for all of it. It comes after its Enters, its Exits after it.
Frames in frames are regions' parts like any other.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graphc.errors import DataLossError, UnimplementedError
from graphc.serial.graph_pb2 import NodeDef
from graphc.serial.lowered.parts import (
    DEPTH_LIMIT,
    ENTERS,
    EXITS,
    MERGES,
    NEXTS,
    PASSING,
    SWITCHES,
    Carried,
    Loop,
    Part,
    Region,
    part_of,
    port,
    source,
)

_INPUTS = dict.fromkeys((*PASSING, *MERGES, "LoopCond"), 1) | dict.fromkeys(SWITCHES, 2)


@dataclass(eq=False)
class _Frame:
    """name: "" is what is in no frame. inside: the nodes of the frame; entering, leaving: its Enters and Exits."""

    name: str
    around: _Frame | None
    depth: int = 0
    inside: dict[str, NodeDef] = field(default_factory=dict)
    entering: dict[str, NodeDef] = field(default_factory=dict)
    leaving: dict[str, NodeDef] = field(default_factory=dict)
    children: dict[str, _Frame] = field(default_factory=dict)


def region_of(nodes: Mapping[str, NodeDef]) -> Region:
    """The parts of a graph or function, in the order of the file. Raises UnimplementedError or DataLossError with the
    node that does not fit."""
    for node in nodes.values():
        needed = _INPUTS.get(node.op, 0)
        if sum(not text.startswith("^") for text in node.input[:needed]) < needed:
            raise DataLossError(f"{node.op} '{node.name}' has the inputs {', '.join(node.input) or 'none'}, but takes "
                                f"{needed}; the file is damaged")
    return _region(_frames(nodes), nodes)


def _region(frame: _Frame, nodes: Mapping[str, NodeDef]) -> Region:
    """The parts of a frame: its nodes, its children as loops, with their Enters and Exits."""
    found = {name: part_of(node) for name, node in frame.inside.items()}
    for child in frame.children.values():
        loop = _loop(child, nodes)
        name = f"\0{child.name}"
        found[name] = Part(name, tuple(child.entering), (), None, loop)
        found.update((n, part_of(node)) for n, node in child.entering.items())
        found.update((n, Part(n, (name,), (), node)) for n, node in child.leaving.items())
    order = {name: i for i, name in enumerate(nodes)}
    return dict(sorted(found.items(), key=lambda item: order.get(item[0], len(order))))


# Which node is in which frame.


def _frames(nodes: Mapping[str, NodeDef]) -> _Frame:
    root = _Frame("", None)
    frame_of: dict[str, _Frame] = {}          # that of a node's outputs
    missing = {name: len(_before(node, nodes)) for name, node in nodes.items()}
    users: dict[str, list[str]] = {name: [] for name in nodes}
    for name, node in nodes.items():
        for other in _before(node, nodes):
            users[other].append(name)
    ready = [name for name, count in missing.items() if not count]
    for name in ready:
        node = nodes[name]
        frame_of[name] = _place(node, _frame_of_inputs(node, nodes, frame_of, root))
        for user in users[name]:
            missing[user] -= 1
            if not missing[user]:
                ready.append(user)
    if len(ready) < len(nodes):
        _refuse_cycle({name: node for name, node in nodes.items() if missing[name]}, nodes)
    return root


def _before(node: NodeDef, nodes: Mapping[str, NodeDef]) -> list[str]:
    """What comes before a node, without what a Merge gets from the iteration before."""
    found = [source(text) for text in node.input if source(text) in nodes]
    return [s for s in found if nodes[s].op not in NEXTS] if node.op in MERGES else found


def _refuse_cycle(left: Mapping[str, NodeDef], nodes: Mapping[str, NodeDef]) -> None:
    """Names two nodes of a cycle: from any of those left, inputs that are left lead into one."""
    name, seen = next(iter(left)), set()
    while name not in seen:
        seen.add(name)
        name = next(s for s in _before(left[name], nodes) if s in left)
    other = next(s for s in _before(left[name], nodes) if s in left)
    raise DataLossError(f"nodes '{name}' and '{other}' of the GraphDef depend on each other; the file is damaged")


def _frame_of_inputs(node: NodeDef, nodes: Mapping[str, NodeDef], frame_of: dict[str, _Frame], root: _Frame) -> _Frame:
    frames = dict.fromkeys(frame_of[s] for s in _before(node, nodes))
    if len(frames) > 1:
        names = " and ".join(f"'{f.name}'" if f.name else "none" for f in frames)
        raise DataLossError(f"{node.op} '{node.name}' has inputs from different frames ({names}); TensorFlow does not "
                            "run such a graph either: what comes from outside of a loop needs an Enter")
    return next(iter(frames), root)


def _place(node: NodeDef, frame: _Frame) -> _Frame:
    """Notes a node in its frame; the frame of its outputs."""
    if node.op in ENTERS:
        name = node.attr["frame_name"].s.decode()
        if frame.depth >= DEPTH_LIMIT:
            raise DataLossError(f"{node.op} '{node.name}': loops nest more than {DEPTH_LIMIT} deep")
        child = frame.children.setdefault(name, _Frame(name, frame, frame.depth + 1))
        child.entering[node.name] = node
        return child
    if node.op in (*EXITS, *NEXTS) and frame.around is None:
        raise DataLossError(f"{node.op} '{node.name}' is in no frame: no Enter leads to it")
    if node.op in EXITS:
        assert frame.around is not None
        frame.leaving[node.name] = node
        return frame.around
    frame.inside[node.name] = node
    return frame


# A frame as a loop.


def _loop(frame: _Frame, nodes: Mapping[str, NodeDef]) -> Loop:
    tests = [n for n in frame.inside.values() if n.op == "LoopCond"]
    if len(tests) != 1:
        where = ", ".join(t.name for t in tests) or f"its Enter is '{next(iter(frame.entering))}'"
        raise UnimplementedError(f"the frame '{frame.name}' has {len(tests)} LoopConds ({where}); a loop has one")
    made = Loop(frame.name, test=tests[0].input[0])
    own = {tests[0].name}
    for node in frame.inside.values():
        if node.op in SWITCHES and source(node.input[1]) == tests[0].name:
            made.switches[node.name] = node.input[0]
            own.add(node.name)
        elif node.op in MERGES and any(nodes[source(t)].op in NEXTS for t in node.input if source(t) in nodes):
            made.carried.append(_carried(node, nodes, frame))
            own.add(node.name)
        elif node.op in NEXTS:
            own.add(node.name)
    made.constants = [name for name in frame.entering if name not in {c.enter for c in made.carried}]
    made.exits = {name: _exit(node, made, frame) for name, node in frame.leaving.items()}
    inside = {name: part for name, part in _region(frame, nodes).items() if name not in own}
    made.cond = _reached([made.test], made, inside)
    made.body = _reached([t for c in made.carried for t in (c.next, *c.waits)], made, inside)
    twice = next((p for name, p in made.cond.items() if name in made.body and p.has_effect()), None)
    if twice is not None:
        raise UnimplementedError(f"{twice.op or 'the loop'} '{twice.name}' in the frame '{frame.name}' has an effect, "
                                 "and both the condition and the body of the loop need it")
    return made


def _carried(merge: NodeDef, nodes: Mapping[str, NodeDef], frame: _Frame) -> Carried:
    data = [source(t) for t in merge.input if not t.startswith("^")]
    first = [s for s in data if s in frame.entering]
    follow = [s for s in data if s in nodes and nodes[s].op in NEXTS]
    if len(data) != 2 or len(first) != 1 or len(follow) != 1:
        raise UnimplementedError(f"{merge.op} '{merge.name}' in the frame '{frame.name}' has the inputs "
                                 f"{', '.join(merge.input)}; that of a loop has one Enter and one NextIteration")
    step = part_of(nodes[follow[0]])
    return Carried(first[0], merge.name, step.texts[0], step.waits)


def _exit(node: NodeDef, loop: Loop, frame: _Frame) -> int:
    """The number of the carried value that an Exit gives out."""
    text = node.input[0]
    while source(text) in frame.inside and frame.inside[source(text)].op in ("Identity", "RefIdentity"):
        text = frame.inside[source(text)].input[0]
    if source(text) in loop.switches and port(text) == 0:
        text = loop.switches[source(text)]
    number = next((i for i, c in enumerate(loop.carried) if c.merge == source(text)), None)
    if number is None:
        raise UnimplementedError(f"{node.op} '{node.name}' gives '{node.input[0]}' out of the frame '{frame.name}', "
                                 "which is no value that the loop carries")
    return number


def _reached(texts: Iterable[str], loop: Loop, inside: Region) -> Region:
    """What these need of the region of a frame."""
    found: set[str] = set()
    left = [source(t) for t in texts]
    while left:
        name = left.pop()
        if name in loop.switches:
            left.append(source(loop.switches[name]))
        elif name in inside and name not in found:
            found.add(name)
            left += inside[name].sources()
    return {name: part for name, part in inside.items() if name in found}
