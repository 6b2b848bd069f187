"""Where a flow holds attention, and its gradient: what the attention pass replaces.

Names as in ops.py; p is the softmax's result. Its gradient, as Softmax.grad and BatchMatMul.grad write it:

    dp = dy vT          dv = pT dy
    ds = (dp - sum(dp * p)) * p        along rows; with dropout of p, dp times its factors
    dt = ds * scale
    dq = dt k           dk = dtT q, or transposed: qT dt
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from graphc.ir.dims import Size
from graphc.ir.dtypes import float32, float64
from graphc.ir.node import Flow, Node, Origin, Value, make_node
from graphc.ir.op import normalise_axes
from graphc.ir.spec import Shape
from graphc.ops.array.shapes import Reshape
from graphc.ops.array.transpose import Transpose
from graphc.ops.math.binary import Mul, Sub
from graphc.ops.math.matmul import BatchMatMul
from graphc.ops.math.reduction import Sum
from graphc.passes.attention.dropout import Dropout, dropout_of
from graphc.passes.attention.masks import Mask, leads, mask_of, scaled
from graphc.passes.attention.ops import ADDED, MOST_LEADING


@dataclass(frozen=True)
class Summed:
    """The sum of what is [*sizes, rows, columns] if it is reshaped so, along `axes`, which are some of `sizes`."""

    sizes: tuple[Size, ...]
    axes: tuple[int, ...]

    def of(self, value: Value, origins: tuple[Origin, ...]) -> Value:
        shape = (*self.sizes, *(value.spec.shape or ())[-2:])
        reshaped = make_node(Reshape(shape=shape), (value,), origins).value()
        return make_node(Sum(axis=self.axes, keep_dims=False), (reshaped,), origins).value()


@dataclass(frozen=True)
class Gradient:
    """results: the values of dq, dk and dv; dk_transposed: the second one is dk transposed. summed: dq and dk are,
    along what scores were broadcast. by_mask: the sum that is the gradient by what is added to the scores, if that is
    wanted. nodes: all that make it."""

    dy: Value
    results: tuple[Value, Value, Value]
    dk_transposed: bool
    summed: Summed | None
    by_mask: Node | None
    nodes: tuple[Node, ...]

    def mask_shape(self, whole: Shape) -> Shape:
        """The shape of that, with 1 along the axes of the sum."""
        if self.by_mask is None:
            return ()
        op = self.by_mask.op
        assert isinstance(op, Sum)
        axes = normalise_axes(op.axis, len(whole))
        return tuple(1 if axis in axes else size for axis, size in enumerate(whole))


@dataclass(frozen=True)
class _Ends:
    """The products dq and dk, whether the latter is transposed, what is summed, the sum by the mask, and the nodes that
    go back from ds through mask and scale."""

    by_q: Node
    by_k: Node
    transposed: bool
    summed: Summed | None
    by_mask: Node | None
    between: tuple[Node, ...]


@dataclass(frozen=True)
class Found:
    """results: the value of p v, if it is there. nodes: those that make it; after: what they come after."""

    q: Value
    k: Value
    v: Value
    mask: Mask | None
    scale: float
    dropout: Dropout | None
    results: tuple[Value, ...]
    nodes: tuple[Node, ...]
    after: tuple[Node, ...]
    gradient: Gradient | None

    def lead(self) -> Shape:
        """The leading axes of the scores after the mask."""
        return (self.nodes[len(self.results)].specs[0].shape or ())[:-2]


class Matcher:
    """Called with a softmax: what it is part of, if that is attention as a whole."""

    def __init__(self, flow: Flow) -> None:
        self.readers: dict[Value, list[Node]] = defaultdict(list)
        self.place: dict[Node, int] = {}
        self.awaited: set[Node] = set()            # by a token edge: no node may leave
        self.fetched = set(flow.outputs)
        for place, node in enumerate(flow.nodes()):
            self.place[node] = place
            self.awaited.update(node.after)
            for value in node.inputs:
                self.readers[value].append(node)

    def __call__(self, softmax: Node) -> Found | None:
        p = softmax.value()
        if softmax.specs[0].dtype not in (float32, float64) or p in self.fetched:
            return None
        dropout = dropout_of(p, self.readers)
        weights = dropout.dropped if dropout else p
        mixed = [n for n in self.readers[weights] if _is_product(n, weights) and n.inputs[1] != weights]
        products = self._scores(softmax)
        if products is None or len(mixed) > 1 or weights in self.fetched:
            return None
        scores, mask, scale, between = products
        gradient = None
        if len(self.readers[p]) > 1 or len(self.readers[weights]) > 1 or not mixed:
            gradient = self._gradient(p, dropout, mixed, scores, mask, scale)
            if gradient is None:
                return None
        v = mixed[0].inputs[1] if mixed else gradient.nodes[0].inputs[1] if gradient else None
        assert v is not None
        nodes = (*mixed, softmax, *(dropout.nodes if dropout else ()), *between)
        return self._checked(Found(scores.inputs[0], scores.inputs[1], v, mask, scale, dropout,
                                   tuple(n.value() for n in mixed), nodes, (), gradient))

    def _scores(self, softmax: Node) -> tuple[Node, Mask | None, float, tuple[Node, ...]] | None:
        """The product q kT, mask, scale, and the nodes from the softmax's operand to the product."""
        mask = mask_of(softmax.inputs[0])
        scores, between = (mask.scores, list(mask.nodes)) if mask else (softmax.inputs[0], [])
        factor = scaled(scores.node)
        if factor is not None:
            between.append(scores.node)
        product, scale = factor or (scores, 1.0)
        between.append(product.node)
        if not _is_product(product.node, product.node.inputs[0] if product.node.inputs else product, adj_y=True):
            return None
        if not all(self._read_once(node.value()) for node in between):
            return None
        return product.node, mask, scale, tuple(between)

    def _gradient(self, p: Value, dropout: Dropout | None, mixed: Sequence[Node], scores: Node, mask: Mask | None,
                  scale: float) -> Gradient | None:
        """What p is multiplied with has `mixed` and the gradient as its readers; scores is the product q kT."""
        weights = dropout.dropped if dropout else p
        by_v = [n for n in self.readers[weights] if _is_product(n, weights, adj_x=True)]
        forward = [*mixed, *(dropout.nodes[:1] if dropout else ())]
        products = [n for n in self.readers[p] if n not in forward and n not in by_v]
        others = len(self.readers[weights]) - len(mixed) - (0 if dropout else len(products))
        if len(by_v) != 1 or others != 1 or len(products) != 2 or not all(isinstance(n.op, Mul) for n in products):
            return None
        for weighted, by_softmax in (products, products[::-1]):
            found = self._through_softmax(p, dropout, weighted, by_softmax)
            if found is not None:
                dp, nodes = found
                break
        else:
            return None
        dy, v = dp.inputs
        if not _same(by_v[0].inputs[1], dy) or (mixed and not _same(mixed[0].inputs[1], v)):
            return None
        ends = self._ends(by_softmax, scores, mask, scale)
        if ends is None or self._reaches(v.node, by_v[0]):
            return None
        results = ends.by_q.value(), ends.by_k.value(), by_v[0].value()
        return Gradient(dy, results, ends.transposed, ends.summed, ends.by_mask,
                        (dp, *nodes, *ends.between, ends.by_q, ends.by_k, by_v[0]))

    def _through_softmax(self, p: Value, dropout: Dropout | None, weighted: Node,
                         by_softmax: Node) -> tuple[Node, tuple[Node, ...]] | None:
        """The product dp, and the nodes after it up to ds, which by_softmax gives; weighted is dp * p."""
        dp, less = _other(weighted, p), _other(by_softmax, p)
        if dp is None or less is None or not isinstance(less.node.op, Sub) or less.node.inputs[0] != dp:
            return None
        total = less.node.inputs[1]
        if not isinstance(total.node.op, Sum) or total.node.inputs[0] != weighted.value():
            return None
        rank = len(p.spec.shape or ())
        if total.node.op.axis not in ((-1,), (rank - 1,)) or not total.node.op.keep_dims:
            return None
        behind = (dropout.behind(dp) if dropout else None) or (dp, ())
        if (dropout is not None) != bool(behind[1]):
            return None
        product, dropped = behind[0].node, behind[1]
        whole = _is_product(product, product.inputs[0], adj_y=True) if len(product.inputs) == 2 else False
        inner = all(self._read_once(n.value()) for n in (weighted, less.node, total.node, *dropped[1:]))
        if dropout is not None:
            inner &= self._read_once(behind[0])
        if not whole or not inner or not self._read_by(dp, [weighted, less.node]):
            return None
        return product, (*dropped, weighted, total.node, less.node, by_softmax)

    def _ends(self, by_softmax: Node, scores: Node, mask: Mask | None, scale: float) -> _Ends | None:
        by_scores = by_softmax.value()
        between: list[Node] = []
        summed = None
        q, k = scores.inputs
        by_mask = self._by_mask(by_scores, scores, mask)
        if mask is not None and mask.does != ADDED:
            between += self.readers[by_scores][:1]
            if not self._read_once(by_scores) or not mask.of_gradient(by_scores, between[-1]):
                return None
            by_scores = between[-1].value()
        if scores.specs[0].shape != by_softmax.specs[0].shape:
            found = self._summed(by_scores, scores.specs[0].shape)
            if found is None:
                return None
            by_scores, summed = found
        if _scale_of_product(scores, self.readers) is not None:
            factors = [n for n in self.readers[by_scores] if n is not by_mask]
            between += factors[:1]
            others = [*factors, *([by_mask] if by_mask else [])]
            if len(factors) != 1 or scaled(factors[0]) != (by_scores, scale) or not self._read_by(by_scores, others):
                return None
            by_scores = factors[0].value()
        aside = [by_mask] if by_mask and by_mask.inputs[0] == by_scores else []
        readers = self.readers[by_scores]
        by_q = [n for n in readers if _is_product(n, by_scores) and _same(n.inputs[1], k)]
        by_k = [n for n in readers if _is_product(n, by_scores, adj_x=True) and _same(n.inputs[1], q)]
        by_kt = [n for n in readers if _is_product(n, q, adj_x=True) and n.inputs[1] == by_scores]
        if len(by_q) != 1 or len(by_k) + len(by_kt) != 1:
            return None
        ends = by_q[0], (by_k or by_kt)[0]
        if not self._read_by(by_scores, (*ends, *aside)):
            return None
        return _Ends(*ends, bool(by_kt), summed, by_mask, tuple(between))

    def _by_mask(self, by_scores: Value, scores: Node, mask: Mask | None) -> Node | None:
        """The sum over leading axes, or rows, that is the gradient by what is added to scores of that shape."""
        shape = by_scores.spec.shape
        if mask is None or mask.does != ADDED or scores.specs[0].shape != shape:
            return None
        for node in self.readers[by_scores]:
            if isinstance(node.op, Sum) and len(shape or ()) - 1 not in normalise_axes(node.op.axis, len(shape or ())):
                return node
        return None

    def _summed(self, value: Value, shape: Shape | None) -> tuple[Value, Summed] | None:
        """The gradient by scores of `shape`, of that by what they were broadcast to, `value`: reshaped, and a sum."""
        reshaped = self.readers[value][0]
        if not self._read_once(value) or not isinstance(reshaped.op, Reshape) or not self._read_once(reshaped.value()):
            return None
        total, sizes = self.readers[reshaped.value()][0], reshaped.specs[0].shape or ()
        if not isinstance(total.op, Sum) or total.op.keep_dims or self.awaited & {reshaped, total}:
            return None
        axes = normalise_axes(total.op.axis, len(sizes))
        fits = total.specs[0].shape == shape and sizes[-2:] == (shape or ())[-2:] and max(axes) < len(sizes) - 2
        return (total.value(), Summed(sizes[:-2], axes)) if fits else None

    def _checked(self, found: Found) -> Found | None:
        """The same, if shapes fit, nothing waits for a node that would go, and no knowledge of sizes goes with it."""
        gone = (*found.nodes, *(found.gradient.nodes if found.gradient else ()))
        if any(n.requirements or n in self.awaited for n in gone):
            return None
        p, scores = (found.nodes[i].specs[0].shape for i in (len(found.results), -1))
        if p is None or scores is None or p[-2:] != scores[-2:] or not _fit((found.q, found.k, found.v), p):
            return None
        after = tuple(dict.fromkeys(n for node in gone for n in node.after))
        if found.gradient is not None and after:
            return None
        return Found(**{**vars(found), "after": after})

    def _read_once(self, value: Value) -> bool:
        return len(self.readers[value]) == 1 and value not in self.fetched

    def _read_by(self, value: Value, nodes: Sequence[Node]) -> bool:
        """Whether these nodes read it, each once, and nothing else does."""
        readers = self.readers[value]
        return value not in self.fetched and len(readers) == len(nodes) and set(readers) == set(nodes)

    def _reaches(self, node: Node, needed: Node) -> bool:
        """Whether `node` depends on `needed`."""
        seen, waiting = {node}, [node]
        while waiting:
            top = waiting.pop()
            if top is needed:
                return True
            if self.place[top] > self.place[needed]:
                more = {n for n in (*(v.node for v in top.inputs), *top.after) if n not in seen}
                seen |= more
                waiting += more
        return False


def _is_product(node: Node, left: Value, adj_x: bool = False, adj_y: bool = False) -> bool:
    """Whether it multiplies batches of matrices, `left` and another, transposed so."""
    op = node.op
    return (isinstance(op, BatchMatMul) and _same(node.inputs[0], left) and op.adj_x == adj_x and op.adj_y == adj_y)


def _same(a: Value, b: Value) -> bool:
    """Whether they are one value, or transposed alike from one: a transpose that became a part of a product left
    another node in front of it than the one that its gradient reads."""
    return a == b or (isinstance(a.node.op, Transpose) and a.node.op == b.node.op and a.node.inputs == b.node.inputs)


def _other(node: Node, value: Value) -> Value | None:
    """The other factor of a product of `value`."""
    a, b = node.inputs
    return b if a == value else a if b == value else None


def _scale_of_product(scores: Node, readers: dict[Value, list[Node]]) -> float | None:
    """The factor that the one reader of the product applies to it, if that is what it does."""
    found = scaled(readers[scores.value()][0])
    return None if found is None else found[1]


def _fit(operands: Sequence[Value], scores: Shape) -> bool:
    """Whether q, k and v have the scores' leading axes, one or two, or what broadcasts to them."""
    shapes = [value.spec.shape for value in operands]
    return 1 <= len(scores) - 2 <= MOST_LEADING and all(
        shape is not None and len(shape) >= 2 and leads(shape, scores) for shape in shapes)
