"""transpose_weights: a matrix that many products of few rows read transposed is transposed once.

The gradient of an unrolled network multiplies dy @ transposed(w) at every step. The product's kernel reads few rows'
worth of a matrix as it lies, but brings a transposed one in order first, in every call. (Loops have theirs transposed
outside by api/gradients/bodies.py.) Of columns that nobody reads, such as the gradient of a network's input, no product
is computed: where all that is read of a product are some parts of a split, those rows of the matrix are transposed.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphc.ir.dtypes import float32, float64
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import OPS
from graphc.ops.array.join import Split, SplitV
from graphc.ops.array.source import Const
from graphc.ops.math.matmul import MatMul
from graphc.passes.shared.internal_ops import Transposed
from graphc.passes.shared.rewriter import Reads, Rewriter

MANY = 8                     # products that together cost more than transposing once (measured: 3 to 6)
FEWEST, MOST = 9, 64         # rows: fewer read a transposed matrix as it lies, more have any matrix packed


@dataclass(frozen=True)
class Part:
    """The rows of a transposed matrix whose products are read. read: the numbers of the split's results, or (0,)."""

    matrix: Value
    first: int
    count: int
    read: tuple[int, ...]


def transpose_weights(flow: Flow) -> Flow:
    reads = Reads(flow)
    found = {node: part for node in flow.nodes() if (part := _read_of(node, reads)) is not None}
    in_parts = {node.inputs[0].node for node in found if not isinstance(node.op, MatMul)}
    products = Counter(part for node, part in found.items() if node not in in_parts)
    parts = {node: part for node, part in found.items() if node not in in_parts and products[part] >= MANY}
    return _Transposing(parts).run(flow) if parts else flow


class _Transposing(Rewriter):
    """Puts products with matrices that were transposed once in place of some, or of splits of them."""

    def __init__(self, parts: Mapping[Node, Part]) -> None:
        super().__init__(())
        self.parts = parts
        self.transposed: dict[Part, Value] = {}

    def _visit(self, node: Node) -> None:
        if node not in self.parts:
            super()._visit(node)
            return
        current, part = self._with_new_inputs(node), self.parts[node]
        product = current if isinstance(current.op, MatMul) else current.inputs[0].node
        times: Any = OPS.make("MatMul")
        made = make_node(times, (product.inputs[0], self._matrix(part, product)), product.origins, product.after)
        if current is not product:
            made = _split(current, made, part.read)
        self.done.add(node)
        self.nodes[node] = made
        self.moved.add(node)
        self.new.update((node.value(i), made.value(k)) for k, i in enumerate(part.read))

    def _matrix(self, part: Part, product: Node) -> Value:
        """What stands for the part of the matrix, which the first product that needs it makes."""
        if part not in self.transposed:
            matrix = product.inputs[1]
            whole, width = matrix.spec.shape  # type: ignore[misc]
            if part.count != whole:
                rows: Any = OPS.make("Slice", begin=(part.first, 0), size=(part.count, width))
                matrix = make_node(rows, (matrix,), product.origins).value()
            self.transposed[part] = make_node(Transposed(), (matrix,), product.origins).value()
        return self.transposed[part]


def _split(split: Node, product: Node, read: Sequence[int]) -> Node:
    """The parts of the product that are read."""
    if len(read) == 1:
        return product
    widths = tuple(split.specs[i].shape[1] for i in read)  # type: ignore[index]
    op: Any = OPS.make("SplitV", size_splits=widths, split_dim=1, num_split=len(read))
    return make_node(op, (product.value(),), split.origins, split.after)


def _read_of(node: Node, reads: Reads) -> Part | None:
    """What a product needs of its matrix; a split's, if it is all that reads a product, and of its parts some are read,
    side by side."""
    if isinstance(node.op, MatMul) and _brings_in_order(node):
        return Part(node.inputs[1], 0, node.inputs[1].spec.shape[0], (0,))  # type: ignore[index,arg-type]
    if not isinstance(node.op, (Split, SplitV)) or node.op.split_dim not in (1, -1) or node.requirements:
        return None
    product = node.inputs[0].node
    if not isinstance(product.op, MatMul) or not _brings_in_order(product) or reads(product.value()) != 1:
        return None
    read = tuple(i for i in range(len(node.specs)) if reads(node.value(i)) > 0)
    widths = [spec.shape[1] for spec in node.specs]  # type: ignore[index]
    if len(read) == len(widths) or not read or len(read) <= read[-1] - read[0]:
        return None
    if not all(isinstance(width, int) for width in widths):
        return None
    return Part(product.inputs[1], sum(widths[:read[0]]), sum(widths[i] for i in read), read)  # type: ignore[arg-type,misc]


def _brings_in_order(product: Node) -> bool:
    """Whether the kernel would transpose the matrix for this product alone. A constant's is made once in any case."""
    op: Any = product.op
    matrix = product.inputs[1]
    if not op.transpose_b or op.transpose_a or matrix.spec.dtype not in (float32, float64):
        return False
    rows = product.specs[0].shape[0]  # type: ignore[index]
    return (not product.requirements and matrix.spec.is_static and not isinstance(matrix.node.op, Const)
            and not (isinstance(rows, int) and not FEWEST <= rows <= MOST))
