"""Scopes are folded, a level shows its own, layouts do not overlap; graphs of any size and form are drawn."""
from __future__ import annotations

import itertools
import random

import pytest

import graphc as gc
from graphc.picture.layout import HEIGHT, layout
from graphc.picture.levels import MOST, MOST_CONTROLS, OPERATION, OUTSIDE, SCOPE, Levels
from graphc.picture.nodes import Input, Node, nodes_of
from graphc.picture.svg import level_svg


def node(name: str, *sources: str, type: str = "Add", after: tuple[str, ...] = ()) -> Node:
    inputs = [Input(s, "3") for s in sources] + [Input(s, "", control=True) for s in after]
    return Node(name, type, tuple(inputs), ("3",))


def texts(levels: Levels, path: str) -> tuple[dict[str, str], set[tuple[str, str]]]:
    """Box -> kind, and edges, by keys."""
    level = levels.level(path)
    keys = [box.key for box in level.boxes]
    return {box.key: box.kind for box in level.boxes}, {(keys[e.source], keys[e.target]) for e in level.edges}


NODES = [node("x"), node("w", type="Const"), node("net/a", "x", "w"), node("net/b", "net/a"), node("y", "net/b")]


def test_a_scope_is_one_box() -> None:
    assert texts(Levels(NODES), "") == ({"x": OPERATION, "net": SCOPE, "y": OPERATION}, {("x", "net"), ("net", "y")})


def test_a_level_shows_its_neighbours() -> None:
    boxes, edges = texts(Levels(NODES), "net")
    assert boxes == {"net/a": OPERATION, "net/b": OPERATION, "x": OUTSIDE, "y": OUTSIDE}
    assert edges == {("x", "net/a"), ("net/a", "net/b"), ("net/b", "y")}


def test_an_operation_of_a_scopes_name_is_in_it() -> None:
    levels = Levels([node("v/read"), node("v/set"), node("v", "v/read"), node("y", "v")])
    assert texts(levels, "") == ({"v": SCOPE, "y": OPERATION}, {("v", "y")})
    assert set(texts(levels, "v")[0]) == {"v", "v/read", "v/set", "y"}


def test_a_scope_of_one_operation_is_no_box_of_its_own() -> None:
    level = Levels([node("a/b/c"), node("y", "a/b/c")]).level("")
    assert [(box.key, box.title) for box in level.boxes] == [("a/b/c", "a/b/c"), ("y", "y")]


def test_large_levels_are_folded_further() -> None:
    nodes = [node("n0")] + [node(f"n{i}", f"n{i - 1}") for i in range(1, 5000)]
    levels = Levels(nodes)
    assert all(len(levels.scopes[path].nodes) + len(levels.scopes[path].scopes) <= MOST for path in levels.scopes)
    assert sum(len(scope.nodes) for scope in levels.scopes.values()) == 5000
    assert all(len(level_svg(levels.level(path))) < 100_000 for path in levels.scopes)


def test_many_neighbours_are_shown_by_their_scopes() -> None:
    nodes = [node(f"s{i % 3}/n{i}") for i in range(2 * MOST)]
    nodes += [node("in/a", *(n.name for n in nodes)), node("in/b", "in/a")]
    boxes, edges = texts(Levels(nodes), "in")
    assert boxes == {"in/a": OPERATION, "in/b": OPERATION, "s0": OUTSIDE, "s1": OUTSIDE, "s2": OUTSIDE}
    assert edges == {("s0", "in/a"), ("s1", "in/a"), ("s2", "in/a"), ("in/a", "in/b")}


def test_what_waits_for_many_has_no_lines() -> None:
    for count in (MOST_CONTROLS, MOST_CONTROLS + 1):
        names = [f"a{i}" for i in range(count)]
        level = Levels([*map(node, names), node("group", after=tuple(names))]).level("")
        assert len(level.edges) == (count if count == MOST_CONTROLS else 0)


def test_sources_that_are_no_nodes_are_left_out() -> None:
    assert texts(Levels([node("a", "nowhere"), node("b", "a", "b")]), "") == (
        {"a": OPERATION, "b": OPERATION}, {("a", "b")})


@pytest.mark.parametrize("seed", range(20))
def test_boxes_do_not_overlap_and_edges_go_down(seed: int) -> None:
    """Random graphs with circles, as folded scopes make them."""
    rng = random.Random(seed)
    names = [f"{rng.choice(['', 'a/', 'b/', 'a/c/'])}n{i}" for i in range(rng.randrange(1, 50))]
    nodes = [node(name, *(rng.choice(names) for _ in range(rng.randrange(3)))) for name in names]
    levels = Levels(nodes)
    for path in levels.scopes:
        level = levels.level(path)
        placed = layout(level)
        for a, b in itertools.combinations(placed.boxes, 2):
            assert a.y != b.y or abs(a.x - b.x) >= (a.width + b.width) / 2 - 1e-6
        for edge, upwards in zip(level.edges, placed.backwards, strict=True):
            source, target = placed.boxes[edge.source], placed.boxes[edge.target]
            assert upwards or source.y + HEIGHT < target.y
        assert all(0 <= b.x - b.width / 2 and b.x + b.width / 2 <= placed.width for b in placed.boxes)
        assert all(b.y + HEIGHT <= placed.height for b in placed.boxes)


def test_a_chain_is_drawn_straight() -> None:
    placed = layout(Levels([node("a"), node("b", "a"), node("c", "b")]).level(""))
    assert len({round(box.x, 6) for box in placed.boxes}) == 1
    assert placed.backwards == [False, False]


def test_bodies_of_loops_are_scopes() -> None:
    with gc.Graph().as_default() as graph:
        gc.while_loop(lambda i: i < 3, lambda i: i + 1, [gc.constant(0)], name="loop")
    levels = Levels(nodes_of(graph.get_operations()))
    inside = [path for path in levels.scopes if path.startswith("loop/")]
    assert len(inside) == 2
    assert any(n.type == "Less" for path in inside for n in levels.scopes[path].nodes)
