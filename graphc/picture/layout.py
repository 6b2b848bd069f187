"""Where the boxes of a level stand: in layers, what is computed first on top (Sugiyama's method).

1. An order of the boxes with few edges against it (Eades, Lin, Smyth: sources first, sinks last, else what gives most).
   Folded scopes can make circles; an edge against the order has no say in the layers.
2. A box's layer is the length of the longest path to it; then each moves down until it is right above one that uses it.
3. An edge over several layers gets a bend in each of them, which takes part in what follows.
4. In a layer things are sorted by the mean place of their neighbours, a few times down and up.
5. They move towards their neighbours as far as those beside them let them.
"""
from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from graphc.picture.levels import Level

SWEEPS = 8
LETTER, HEIGHT, GAP_ACROSS, GAP_DOWN, BEND = 6.8, 34.0, 18.0, 40.0, 8.0
NARROWEST, LONGEST_TITLE = 76.0, 28
Point = tuple[float, float]


@dataclass(frozen=True)
class Placed:
    x: float               # of the centre
    y: float               # of the upper edge
    width: float
    title: str


@dataclass(frozen=True)
class Layout:
    boxes: list[Placed]
    bends: list[list[Point]]      # of each edge, from above
    backwards: list[bool]         # whether it goes up
    width: float
    height: float


@dataclass
class _Things:
    """Boxes, and after them the bends of edges."""
    layers: list[int]
    widths: list[float]
    links: list[tuple[int, int]]              # from one layer to the next
    chains: list[list[int]]                   # the bends of each edge


def layout(level: Level) -> Layout:
    titles = [_shortened(box.title) for box in level.boxes]
    widths = [max(NARROWEST, LETTER * max(len(title), len(box.subtitle)) + 12)
              for title, box in zip(titles, level.boxes, strict=True)]
    order = _order(len(level.boxes), [(e.source, e.target) for e in level.edges])
    forward = [order[e.source] < order[e.target] for e in level.edges]
    things = _things(level, order, forward, widths)
    neighbours = _neighbours(things)
    centres = _centres(_rows(things.layers, neighbours), things.widths, neighbours)
    left = min((centres[i] - things.widths[i] / 2 for i in range(len(things.widths))), default=0.0) - GAP_ACROSS
    points = [(centres[i] - left, GAP_DOWN / 2 + layer * (HEIGHT + GAP_DOWN)) for i, layer in enumerate(things.layers)]
    boxes = [Placed(*points[i], widths[i], title) for i, title in enumerate(titles)]
    return Layout(boxes, [[points[i] for i in chain] for chain in things.chains], [not f for f in forward],
                  max((points[i][0] + w / 2 for i, w in enumerate(things.widths)), default=0.0) + GAP_ACROSS,
                  max((b.y for b in boxes), default=0.0) + HEIGHT + GAP_DOWN / 2)


def _order(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The place of each box."""
    outgoing: list[set[int]] = [set() for _ in range(count)]
    incoming: list[set[int]] = [set() for _ in range(count)]
    for source, target in edges:
        outgoing[source].add(target)
        incoming[target].add(source)
    left: list[int] = []
    right: list[int] = []
    rest = dict.fromkeys(range(count))
    while rest:
        sinks, sources = [i for i in rest if not outgoing[i]], [i for i in rest if not incoming[i]]
        if sinks:
            taken = sinks[-1]
            right.append(taken)
        else:
            taken = sources[0] if sources else max(rest, key=lambda i: (len(outgoing[i]) - len(incoming[i]), -i))
            left.append(taken)
        del rest[taken]
        for i in outgoing[taken]:
            incoming[i].discard(taken)
        for i in incoming[taken]:
            outgoing[i].discard(taken)
    places = {i: place for place, i in enumerate([*left, *reversed(right)])}
    return [places[i] for i in range(count)]


def _things(level: Level, order: Sequence[int], forward: Sequence[bool], widths: Sequence[float]) -> _Things:
    layers = _layers(len(widths), order, [(e.source, e.target) for e, f in zip(level.edges, forward, strict=True) if f])
    made = _Things(layers, list(widths), [], [])
    for edge, is_forward in zip(level.edges, forward, strict=True):
        chain: list[int] = []
        for layer in range(layers[edge.source] + 1, layers[edge.target]) if is_forward else ():
            chain.append(len(made.layers))
            made.layers.append(layer)
            made.widths.append(BEND)
        if is_forward:
            path = [edge.source, *chain, edge.target]
            made.links += itertools.pairwise(path)
        made.chains.append(chain)
    return made


def _layers(count: int, order: Sequence[int], edges: Sequence[tuple[int, int]]) -> list[int]:
    targets: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        targets[source].append(target)
    layers, sequence = [0] * count, sorted(range(count), key=lambda i: order[i])
    for i in sequence:
        for target in targets[i]:
            layers[target] = max(layers[target], layers[i] + 1)
    lonely = {*range(count)} - {i for edge in edges for i in edge}
    for i in reversed(sequence):
        if targets[i]:
            layers[i] = min(layers[target] for target in targets[i]) - 1
        elif i in lonely:
            layers[i] = max(layers)
    return layers


def _neighbours(things: _Things) -> list[tuple[list[int], list[int]]]:
    """(above, below) of each thing."""
    found: list[tuple[list[int], list[int]]] = [([], []) for _ in things.layers]
    for source, target in things.links:
        found[target][0].append(source)
        found[source][1].append(target)
    return found


def _rows(layers: Sequence[int], neighbours: Sequence[tuple[list[int], list[int]]]) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(max(layers, default=-1) + 1)]
    for i, layer in enumerate(layers):
        rows[layer].append(i)
    place = {i: float(k) for row in rows for k, i in enumerate(row)}
    for sweep in range(SWEEPS):
        for row in (rows if sweep % 2 == 0 else reversed(rows)):
            row.sort(key=lambda i: _mean([place[n] for n in neighbours[i][sweep % 2]], place[i]))
            place.update((i, k - len(row) / 2) for k, i in enumerate(row))
    return rows


def _centres(rows: Sequence[Sequence[int]], widths: Sequence[float],
             neighbours: Sequence[tuple[list[int], list[int]]]) -> dict[int, float]:
    centres: dict[int, float] = {}
    for row in rows:
        centres.update(_apart(row, widths, dict.fromkeys(row, 0.0)))
    for sweep in range(SWEEPS):
        for row in (rows if sweep % 2 == 0 else reversed(rows)):
            wanted = {i: _mean([centres[n] for n in neighbours[i][sweep % 2]], centres[i]) for i in row}
            centres.update(_apart(row, widths, wanted))
    return centres


def _apart(row: Sequence[int], widths: Sequence[float], wanted: dict[int, float]) -> dict[int, float]:
    """Centres as near to the wanted ones as order and widths allow: what would overlap is joined, and moves as one."""
    groups: list[tuple[list[int], float]] = []           # members, and where the first one's left edge goes
    for i in row:
        members, start = [i], wanted[i] - widths[i] / 2
        while groups and groups[-1][1] + _extent(groups[-1][0], widths) > start:
            before, begin = groups.pop()
            weight = len(before) / (len(before) + len(members))
            start = begin * weight + (start - _extent(before, widths)) * (1 - weight)
            members = before + members
        groups.append((members, start))
    found = {}
    for members, start in groups:
        for i in members:
            found[i] = start + widths[i] / 2
            start += widths[i] + GAP_ACROSS
    return found


def _extent(members: Sequence[int], widths: Sequence[float]) -> float:
    return sum(widths[i] + GAP_ACROSS for i in members)


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _shortened(title: str) -> str:
    return title if len(title) <= LONGEST_TITLE else f"{title[:11]}\u2026{title[-15:]}"
