"""join_products: a sum of products of few rows becomes one product.

add_n(transposed(a_i) @ b_i) is transposed(a) @ b, where a and b are all a_i and all b_i, one below the other: the
gradient of a matrix that an unrolled network uses at every step is computed at once, where each step would read and
write the whole matrix. (In loops, api/gradients/products.py does the same.) A product is joined if nothing else reads
it, and if its factors are so much smaller than the matrix that copying them costs less than adding it once more.
"""
from __future__ import annotations

from typing import Any

from graphc.ir import dims
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import OPS
from graphc.ops.math.binary import AddN
from graphc.ops.math.matmul import MatMul, pays_to_join
from graphc.passes.shared.rewriter import Reads, Replacement, asked_of, rewrite


def join_products(flow: Flow) -> Flow:
    reads = Reads(flow)

    @asked_of(AddN)
    def join(node: Node) -> Replacement:
        """add_n(aT b, cT d, ...) -> concat(a, c)T concat(b, d) + ..."""
        products = [v for v in node.inputs if reads(v) == 1 and _has_few_rows(v)]
        if len(products) < 2:
            return None
        factors = zip(*(v.node.inputs for v in products), strict=True)
        op: Any = OPS.make("ConcatV2", axis=0)
        left, right = (make_node(op, values, node.origins).value() for values in factors)
        joined = make_node(products[0].node.op, (left, right), node.origins, node.after)
        rest = [v for v in node.inputs if v not in products]
        return make_node(node.op, (joined.value(), *rest), node.origins, node.after) if rest else joined

    return rewrite(flow, [join], reads)


def _has_few_rows(value: Value) -> bool:
    op = value.node.op
    if not isinstance(op, MatMul) or not op.transpose_a or op.transpose_b or value.node.requirements:
        return False
    a, b, product = (dims.product(v.spec.shape or ()) for v in (*value.node.inputs, value))
    if not isinstance(product, int) or not value.spec.dtype.is_floating:
        return False
    return not (isinstance(a, int) and isinstance(b, int)) or pays_to_join(a, b, product)
