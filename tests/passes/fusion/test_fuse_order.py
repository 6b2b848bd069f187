"""Groups never need each other in a circle, whatever joins them; and the order that this rests on."""
from __future__ import annotations

import random

import pytest

from graphc.ir.dtypes import float32
from graphc.ir.flow_ops import FlowInput
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import OPS
from graphc.ir.verify import verify
from graphc.passes.fusion.fuse import Grouping, fuse
from graphc.passes.fusion.places import Places

# Where a group in front of another goes on behind it, which makes circles if only first and last members count.
INTERLEAVED = (156, 476, 1068, 1302, 1665, 1710, 2596, 2622)


def random_flow(seed: int) -> Flow:
    """Maps, products, reductions of both axes, views and token edges on what came before, mostly on what came last."""
    draw = random.Random(seed)
    x = make_node(FlowInput("x", 0, float32, (4, 4)), ())
    full, rows = [x.value()], []

    def pick(values: list[Value]) -> Value:
        late = draw.random() < 0.8
        return values[max(0, len(values) - 1 - int(draw.expovariate(0.25)))] if late else draw.choice(values)

    for _ in range(12 + seed % 40):
        kind = draw.random()
        after = tuple(n for n in ((pick(full).node,) if draw.random() < 0.08 else ()) if n is not x)

        def add(to: list[Value], op: str, *values: Value, after: tuple[Node, ...] = after, **fields: object) -> None:
            to.append(make_node(OPS[op](**fields), values, (), after).value())

        if kind < 0.45:
            add(full, "AddV2", pick(full), pick(full))
        elif kind < 0.6:
            add(full, "Tanh", pick(full))
        elif kind < 0.7:
            add(full, "MatMul", pick(full), pick(full))
        elif kind < 0.82:
            add(rows, "Sum", pick(full), axis=(draw.choice([0, 1]),), keep_dims=draw.random() < 0.5)
        elif kind < 0.9 and rows:
            add(full, "AddV2", pick(full), pick(rows))
        elif kind < 0.94:
            add(full, "Transpose", pick(full), perm=(1, 0))
        elif rows:
            add(rows, "Exp", pick(rows))
    used = {v for w in (*full, *rows) for v in w.node.inputs}
    return Flow((x,), tuple(v for v in (*full[1:], *rows) if v not in used))


def has_circle(flow: Flow) -> bool:
    """Whether groups need each other: some unit never has all that it needs."""
    nodes = list(flow.nodes())
    groups = Grouping(nodes).group_of
    needs: dict[object, set[object]] = {}
    for node in nodes:
        unit = groups.get(node, node)
        needs.setdefault(unit, set()).update(groups.get(n, n) for n in (*(v.node for v in node.inputs), *node.after))
    done: set[object] = set()
    while True:
        ready = [unit for unit in needs if unit not in done and needs[unit] <= done | {unit}]
        if not ready:
            return len(done) < len(needs)
        done.update(ready)


@pytest.mark.parametrize("seeds", [INTERLEAVED, range(150)], ids=["interleaved", "random"])
def test_groups_never_need_each_other_in_a_circle(seeds: tuple[int, ...]) -> None:
    for seed in seeds:
        flow = random_flow(seed)
        assert not has_circle(flow), seed
        verify(fuse(flow), f"fuse of flow {seed}")


def test_an_order_changes_as_a_list_does() -> None:
    """Also when room between labels runs out, again and again."""
    draw = random.Random(0)
    places = Places(30)
    order = list(places.all)
    for i in range(3000):
        target = order[-1] if i % 2 else draw.choice(order)
        moved = [p for p in draw.sample(order, draw.randrange(5)) if p is not target]
        places.move(moved, target)
        moved.sort(key=order.index)
        rest = [p for p in order if p not in moved]
        position = rest.index(target)
        order = [*rest[:position], *moved, *rest[position:]]
        labels = [p.label for p in order]
        assert labels == sorted(set(labels))
