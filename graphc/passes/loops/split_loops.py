"""split_loops (loop fission): products of all iterations in one, in front of a loop or between two halves of it.

    while: p = f(...); y = g(p @ w, y)     ->     while: push f(...);  q = all p @ w;  while: y = g(q[k], y)

where f needs nothing of y (cuts.py). So the part of w that meets p is read once in a run, not once an iteration, a
product has many rows, and what is left of w in the second loop may fit into a nearer cache. Layers of recurrent cells
that stand in one loop get loops of their own, their gradients likewise. If p is a row of a tensor and all rows are
used, there is no first loop (halves.py).

What both loops need is computed twice if it follows of counters and popped values only, else it is kept on a list. A
loop is cut once at a time: `unused_results` then takes from each half what only the other one needs, and both halves
are looked at again. The order in which products are added up differs from before, and depends on sizes alone.
"""
from __future__ import annotations

from graphc.ir import dims
from graphc.ir.node import Flow, Node
from graphc.ir.op import Op
from graphc.ops.math.matmul import MatMul
from graphc.passes.loops.cuts import find_cut
from graphc.passes.loops.dependencies import Needs
from graphc.passes.loops.halves import Halves
from graphc.passes.loops.unused_results import telling_sizes, unused_results
from graphc.passes.shared.control_flow import Loop, everything
from graphc.passes.shared.required_sizes import symbols
from graphc.passes.shared.rewriter import Replacement, asked_of, rewrite


def split_loops(flow: Flow) -> Flow:
    while flow.nested:
        made: set[Op] = set()

        @asked_of(Loop)
        def split(node: Node, made: set[Op] = made) -> Replacement:
            """while -> while, product, while"""
            if type(node.op) is not Loop or node.op in made or telling_sizes(node, _sizes_around(node)):
                return None
            needs = Needs(node)
            cut = find_cut(needs)
            values = None if cut is None else Halves(needs, cut).results()
            made.update(v.node.op for v in values or () if isinstance(v.node.op, Loop))
            return values

        changed = rewrite(flow, [split])
        if changed is flow:
            break
        halves = unused_results(changed)
        if _multiplied(halves) >= _multiplied(flow):
            break                            # something else ties the halves together: both would compute a product
        flow = halves
    return flow


def _multiplied(flow: Flow) -> int:
    """Elements of the matrices, of known sizes, that products in the bodies of its loops and branches have."""
    around = set(flow.nodes())
    sizes = [dims.product(node.inputs[1].spec.shape or ()) for node in everything(flow)
             if isinstance(node.op, MatMul) and node not in around]
    return sum(size for size in sizes if isinstance(size, int))


def _sizes_around(node: Node) -> set[dims.Symbol]:
    return {s for v in node.inputs for size in v.spec.shape or () for s in symbols(size)}
