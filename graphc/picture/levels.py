"""The nodes by scope: a level shows what is directly in a scope, with the scopes inside folded to one box each.

A level of more than MOST boxes is folded further, into runs of neighbours in the order of creation, so that graphs of
any size stay readable. Constants are not boxes: they are many and say little; a box's details name them.
"""
from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from graphc.picture.nodes import Node

MOST = 60
MOST_CONTROLS = 6          # what waits for more (init, a group) is drawn without lines to all of them
OPERATION, SCOPE, OUTSIDE = "operation", "scope", "outside"
NODES, SCOPES, NOTHING = range(3)


@dataclass(frozen=True)
class Box:
    kind: str              # OPERATION, SCOPE or OUTSIDE (a neighbour of the level)
    key: str               # name of the node, or path of the scope
    title: str
    subtitle: str


@dataclass(frozen=True)
class Edge:
    source: int            # numbers of boxes
    target: int
    label: str
    control: bool


@dataclass
class Level:
    path: str              # of the scope; "" is the whole graph
    boxes: list[Box]
    edges: list[Edge]


@dataclass
class Scope:
    path: str
    title: str
    nodes: list[Node] = field(default_factory=list)            # directly in it, but for constants
    scopes: dict[str, Scope] = field(default_factory=dict)
    first: int = 0         # place of its first node in the order of creation

    @property
    def size(self) -> int:
        return len(self.nodes) + sum(scope.size for scope in self.scopes.values())

    def walk(self) -> Iterator[Scope]:
        """The scope and all inside, outer ones first, without recursion."""
        waiting = deque([self])
        while waiting:
            scope = waiting.popleft()
            yield scope
            waiting += scope.scopes.values()


class Levels:
    """All levels of a graph, each made when it is asked for."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = {node.name: node for node in nodes}
        self._order = {node.name: i for i, node in enumerate(nodes)}
        self.root = Scope("", "graph")
        for node in nodes:
            if not node.is_constant:
                self._add(node)
        for scope in self.root.walk():          # an operation of a scope's own name belongs into it
            for node in [n for n in scope.nodes if _last(n.name) in scope.scopes]:
                scope.nodes.remove(node)
                scope.scopes[_last(node.name)].nodes.append(node)
        for scope in reversed(list(self.root.walk())):       # a box of its own for one operation says nothing
            for part, inner in list(scope.scopes.items()):
                if inner.size == 1:
                    scope.nodes += next(s.nodes for s in inner.walk() if s.nodes)
                    del scope.scopes[part]
        for scope in list(self.root.walk()):
            self._fold(scope)
        self.scopes = {scope.path: scope for scope in self.root.walk()}
        self._around: dict[str, tuple[str, ...]] = {"": ("",)}
        self._home: dict[str, tuple[str, ...]] = {}
        for scope in self.scopes.values():                      # outer ones first
            around = self._around[scope.path]
            self._around.update((inner, (*around, inner)) for inner in (s.path for s in scope.scopes.values()))
            self._home.update((node.name, around) for node in scope.nodes)
        self._targets: dict[str, list[str]] = {}
        for node in nodes:
            for source in node.inputs:
                self._targets.setdefault(source.source, []).append(node.name)

    def _add(self, node: Node) -> None:
        scope = self.root
        for part in node.name.split("/")[:-1]:
            path = f"{scope.path}/{part}" if scope.path else part
            scope = scope.scopes.setdefault(part, Scope(path, part, first=self._order[node.name]))
        scope.nodes.append(node)

    def _fold(self, scope: Scope) -> None:
        """Runs of neighbours become scopes where there are too many boxes."""
        parts: list[Node | Scope] = sorted([*scope.nodes, *scope.scopes.values()], key=self._place)
        if len(parts) <= MOST:
            return
        length = max(MOST // 2, -(-len(parts) // MOST))
        scope.nodes, scope.scopes = [], {}
        for start in range(0, len(parts), length):
            run = parts[start:start + length]
            names = [part.name if isinstance(part, Node) else part.path for part in run]
            title = f"{_last(names[0])} \u2026 {_last(names[-1])}"
            made = Scope(f"{scope.path}//{start}", title, [p for p in run if isinstance(p, Node)],
                         {p.path: p for p in run if isinstance(p, Scope)}, self._place(run[0]))
            scope.scopes[made.path] = made
            self._fold(made)

    def _place(self, part: Node | Scope) -> int:
        return self._order[part.name] if isinstance(part, Node) else part.first

    def around(self, path: str) -> tuple[str, ...]:
        """The paths of the scopes around one, "" first, its own last."""
        return self._around[path]

    def level(self, path: str) -> Level:
        """Boxes in the order of creation, neighbours outside of the scope included."""
        scope = self.scopes[path]
        inside: list[Node | Scope] = sorted([*scope.nodes, *scope.scopes.values()], key=self._place)
        around = f"{path.partition('//')[0]}/"
        boxes = [Box(OPERATION, part.name, part.name.removeprefix(around), part.type) if isinstance(part, Node) else
                 Box(SCOPE, part.path, part.title, f"{part.size} operation{'s' if part.size != 1 else ''}")
                 for part in inside]
        nodes = [n for part in inside for n in ([part] if isinstance(part, Node) else
                                                [n for s in part.walk() for n in s.nodes])]
        made = self._built(scope.path, boxes, nodes)
        groups = Counter(edge.target for edge in made.edges.values() if edge.control)
        return Level(path, made.boxes, [edge for edge in made.edges.values()
                                        if not edge.control or groups[edge.target] <= MOST_CONTROLS])

    def _built(self, path: str, boxes: Sequence[Box], nodes: Sequence[Node]) -> _Building:
        """With the neighbours outside; if they are many with the scopes that those are in, or without."""
        for outside, most in ((NODES, MOST // 2), (SCOPES, MOST)):
            try:
                return _Building(self, path, boxes, nodes, outside, len(boxes) + most)
            except _TooManyError:
                continue
        return _Building(self, path, boxes, nodes, NOTHING, len(boxes))

    def home(self, name: str) -> tuple[str, ...]:
        """The paths of the scopes around a node, "" first; () of a constant, and of what is no node."""
        return self._home.get(name, ())

    def targets(self, name: str) -> list[str]:
        return self._targets.get(name, [])


class _TooManyError(Exception):
    pass


class _Building:
    """The edges of one level. outside: what stands for neighbours there, their NODES, SCOPES or NOTHING; most: boxes
    in all. Raises _TooManyError."""

    def __init__(self, levels: Levels, path: str, boxes: Sequence[Box], nodes: Sequence[Node], outside: int,
                 most: int) -> None:
        self._levels, self._path, self.boxes, self._outside, self._most = levels, path, list(boxes), outside, most
        self._own = levels.around(path)
        self._numbers = {box.key: i for i, box in enumerate(boxes)}
        self.edges: dict[tuple[int, int], Edge] = {}
        for node in nodes:
            self.connect(node)

    def connect(self, node: Node) -> None:
        here = self._box(node.name)
        for source in node.inputs:
            self._edge(self._box(source.source), here, source.label, source.control)
        for target in self._levels.targets(node.name):
            if self._path not in self._levels.home(target):
                labels = [(i.label, i.control) for i in self._levels.nodes[target].inputs if i.source == node.name]
                self._edge(here, self._box(target), *labels[0])

    def _edge(self, source: int | None, target: int | None, label: str, control: bool) -> None:
        if source is None or target is None or source == target:
            return
        old = self.edges.get((source, target))
        if old is None or (old.control and not control):
            self.edges[source, target] = Edge(source, target, label, control)
        elif old.label != label and not control:
            self.edges[source, target] = Edge(source, target, "several", False)

    def _box(self, name: str) -> int | None:
        """The box in which a node is on this level; one outside of it is made. None: a constant."""
        home = self._levels.home(name)
        if not home:
            return None
        if self._path in home:
            inner = home[home.index(self._path) + 1:]
            return self._numbers[inner[0] if inner else name]
        if self._outside == NOTHING:
            return None
        key, text = name, self._levels.nodes[name].type
        apart = [scope for scope in home if scope not in self._own] if self._outside == SCOPES else []
        if apart:
            key, text = apart[0], "scope"
        if key not in self._numbers:
            if len(self.boxes) == self._most:
                raise _TooManyError
            self._numbers[key] = len(self.boxes)
            title = key if key == name else self._levels.scopes[key].title
            self.boxes.append(Box(OUTSIDE, key, title, text))
        return self._numbers[key]


def _last(name: str) -> str:
    return name.rpartition("/")[2]
