"""Einstein's summation: transposes, products of matrices and sums.

Operands are combined from left to right; of two, the left factor is the one whose axes the result has first. The labels
that both have are summed by a product of matrices if nobody needs them any more, and run along as its leading axes if
somebody does; labels that one operand alone has are summed before. Axes that "..." stands for are labels (0, 1, ...
from the right) that broadcast.
"""
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphc.api.array.broadcast import broadcast_to
from graphc.api.array.shapes import expand_dims, reshape, shape
from graphc.api.array.transpose import transpose
from graphc.api.math.binary import multiply
from graphc.api.math.linear import on_diagonal
from graphc.api.math.matmul import matmul
from graphc.api.math.reduce import reduce_prod, reduce_sum
from graphc.api.public import public
from graphc.ir import dims
from graphc.ir.apply import convert_to_tensor, is_tensor_like
from graphc.ir.graph import get_default_graph

Label = Any  # a letter, or an int: an axis of "...", counted from the right


@dataclass(frozen=True)
class _Term:
    """A tensor and the labels of its axes."""

    tensor: Any
    labels: tuple[Label, ...]

    def ordered(self, labels: Sequence[Label]) -> _Term:
        perm = [self.labels.index(label) for label in labels]
        moved = self.tensor if perm == list(range(len(perm))) else transpose(self.tensor, perm)
        return _Term(moved, tuple(labels))

    def summed(self, labels: Sequence[Label]) -> _Term:
        """The sum along these labels."""
        axes = [i for i, label in enumerate(self.labels) if label in labels]
        if not axes:
            return self
        return _Term(reduce_sum(self.tensor, axes), tuple(label for label in self.labels if label not in labels))

    def with_axes(self, labels: Sequence[Label]) -> _Term:
        """Axes of size 1 in front for those labels that are missing."""
        made = self
        for label in labels:
            if label not in made.labels:
                made = _Term(expand_dims(made.tensor, 0), (label, *made.labels))
        return made


@public("einsum", "linalg.einsum")
def einsum(equation, *inputs, **kwargs):
    """The sums of products that `equation` names: "ij,jk->ik" is the product of two matrices.

    Each operand has a letter for each of its axes; letters that are not after "->" are summed. Without "->" the result
    has the letters that occur once, in alphabetical order. A letter twice in one operand is its diagonal; "..." stands
    for any axes, which broadcast. inputs: tensors of one dtype (TypeError otherwise), floating point, complex, int32 or
    int64 where products are summed; a Python value takes that of the tensors. Sizes may be unknown; so may ranks, but
    for those that "..." stands for. Raises ValueError for letters that do not fit the ranks or whose sizes are known to
    differ. As `tf.einsum`.

    >>> a, b = gc.constant([[1., 2.], [3., 4.]]), gc.constant([[1., 0.], [1., 1.]])
    >>> gc.einsum("ij,jk->ik", a, b).eval()
    array([[3., 2.],
           [7., 4.]], dtype=float32)
    >>> gc.einsum("ii->", a).eval()                                  # the trace
    np.float32(5.0)
    >>> queries, keys = gc.placeholder(gc.float32, [None, 4, 8]), gc.placeholder(gc.float32, [None, 6, 8])
    >>> gc.einsum("bqd,bkd->bqk", queries, keys).shape
    TensorShape([Dimension(None), Dimension(4), Dimension(6)])
    """
    name = kwargs.pop("name", None)
    if kwargs:
        raise TypeError(f"einsum: invalid keyword arguments: {', '.join(sorted(kwargs))}")
    if len(inputs) == 1 and isinstance(inputs[0], (list, tuple)):
        inputs = tuple(inputs[0])
    with get_default_graph().name_scope(name or "einsum"):
        dtype = next((x.dtype.base_dtype for x in inputs if is_tensor_like(x)), None)
        tensors = [convert_to_tensor(x, dtype=None if is_tensor_like(x) else dtype) for x in inputs]
        given, output = _parsed(equation, len(tensors))
        terms = [_diagonal(_labelled(equation, t, labels)) for t, labels in zip(tensors, given, strict=True)]
        wanted = _output(equation, terms, given, output)
        _check_sizes(equation, terms)
        return _combined(terms, wanted)


def _combined(terms: list[_Term], wanted: tuple[Label, ...]) -> Any:
    for i, term in enumerate(terms):
        others = {label for j, other in enumerate(terms) if j != i for label in other.labels}
        terms[i] = term.summed(
            [label for label in term.labels if isinstance(label, str) and label not in wanted and label not in others]
        )
    total = terms[0]
    for i, term in enumerate(terms[1:], 1):
        needed = {*wanted, *(label for later in terms[i + 1 :] for label in later.labels)}
        pair = (term, total) if _stands_first(term, total, wanted) else (total, term)
        total = _product(*pair, needed)
    total = total.summed([label for label in total.labels if label not in wanted])
    return total.ordered(wanted).tensor


def _stands_first(a: _Term, b: _Term, wanted: tuple[Label, ...]) -> bool:
    """Whether the result has the letters that only a has in front of those that only b has: then a is the left factor,
    or the product would be transposed."""
    own, others = ([wanted.index(label) for label in x.labels if label in wanted and label not in y.labels]
                   for x, y in ((a, b), (b, a)))
    return bool(own) and bool(others) and max(own) < min(others)


def _parsed(equation: str, count: int) -> tuple[list[str], str | None]:
    """The operands' labels and the output's, None if there is no arrow."""
    text = equation.replace(" ", "")
    if not re.fullmatch(r"[A-Za-z.,]*(->[A-Za-z.]*)?", text):
        raise ValueError(f"einsum: Indices have incorrect format: {equation}")
    before, arrow, output = text.partition("->")
    given = before.split(",")
    if len(given) != count:
        raise ValueError(
            f"Incorrect number of arguments for equation {equation!r}: {count} tensors, but {len(given)} are named"
        )
    for labels in (*given, output):
        if "." in labels and (labels.count("...") != 1 or labels.count(".") != 3):
            raise ValueError(f"einsum: '...' may stand once in each part, but the equation is {equation!r}")
    return given, output if arrow else None


def _labelled(equation: str, tensor: Any, labels: str) -> _Term:
    before, dots, behind = labels.partition("...")
    rank = tensor.spec.rank
    named = len(before) + len(behind)
    if dots:
        if rank is None:
            raise ValueError(
                f"einsum: the rank of the operand {labels!r} of {equation!r} is not known, so '...' stands for "
                "nobody knows how many axes; use set_shape"
            )
        if rank < named:
            raise ValueError(f"einsum: the operand {labels!r} of {equation!r} has rank {rank}, too few for its letters")
        return _Term(tensor, (*before, *reversed(range(rank - named)), *behind))
    if rank is None:
        tensor.set_shape([None] * named)
    elif rank != named:
        raise ValueError(
            f"einsum: the operand {labels!r} of {equation!r} has {named} letters, but a tensor of rank {rank} "
            f"and shape {tensor.shape}"
        )
    return _Term(tensor, tuple(labels))


def _diagonal(term: _Term) -> _Term:
    """With each label once: of two axes with one label the diagonal is taken."""
    for label in dict.fromkeys(term.labels):
        while term.labels.count(label) > 1:
            first = term.labels.index(label)
            second = term.labels.index(label, first + 1)
            order = [*(i for i in range(len(term.labels)) if i not in (first, second)), first, second]
            kept = reduce_sum(on_diagonal(transpose(term.tensor, order)), -2)
            term = _Term(kept, tuple(term.labels[i] for i in [*order[:-2], second]))
    return term


def _output(equation: str, terms: list[_Term], given: list[str], output: str | None) -> tuple[Label, ...]:
    dots = tuple(sorted({label for t in terms for label in t.labels if isinstance(label, int)}, reverse=True))
    if output is None:
        letters = "".join(given).replace(".", "")
        return (*dots, *sorted(label for label in set(letters) if letters.count(label) == 1))
    before, found, behind = output.partition("...")
    for label in before + behind:
        if (before + behind).count(label) > 1:
            raise ValueError(f"einsum: the output of {equation!r} names {label!r} twice")
        if not any(label in t.labels for t in terms):
            raise ValueError(f"einsum: the output of {equation!r} names {label!r}, which no operand has")
    return (*before, *(dots if found else ()), *behind)


def _check_sizes(equation: str, terms: list[_Term]) -> None:
    known: dict[Label, int] = {}
    for term in terms:
        for label, size in zip(term.labels, term.tensor.shape, strict=True):
            if isinstance(label, str) and size.value is not None and known.setdefault(label, size.value) != size.value:
                raise ValueError(
                    f"einsum: {label!r} of {equation!r} has size {known[label]} in one operand and "
                    f"{size.value} in another"
                )


def _product(a: _Term, b: _Term, needed: set[Label]) -> _Term:
    """The product of two terms, summed along the letters that both have and nobody needs."""
    dots = sorted({label for label in (*a.labels, *b.labels) if isinstance(label, int)}, reverse=True)
    a, b = (x.with_axes(list(reversed(dots))) for x in (a, b))
    both = [label for label in a.labels if isinstance(label, str) and label in b.labels]
    batch = [*dots, *(label for label in both if label in needed)]
    inner = [label for label in both if label not in needed]
    left = [label for label in a.labels if label not in batch and label not in inner]
    right = [label for label in b.labels if label not in batch and label not in inner]
    if not inner:
        return _outer(a, b, batch, left, right)
    a, b = a.ordered([*batch, *left, *inner]), b.ordered([*batch, *inner, *right])
    if len(inner) > 1:
        b = _matched(a, b, inner, len(batch))
    first, middle = len(batch), len(batch) + len(left)
    x = _grouped(a.tensor, [*range(first)], [range(first, middle), range(middle, len(a.labels))])
    inside = first + len(inner)
    y = _grouped(b.tensor, [*range(first)], [range(first, inside), range(inside, len(b.labels))])
    product = matmul(x, y)
    if len(left) == 1 and len(right) == 1:
        return _Term(product, (*batch, *left, *right))
    sizes = [
        *_sizes(product, range(first)),
        *_sizes(a.tensor, range(first, middle)),
        *_sizes(b.tensor, range(inside, len(b.labels))),
    ]
    return _Term(reshape(product, sizes if sizes else []), (*batch, *left, *right))


def _outer(a: _Term, b: _Term, batch: list[Label], left: list[Label], right: list[Label]) -> _Term:
    x, y = a.ordered([*batch, *left]).tensor, b.ordered([*batch, *right]).tensor
    for _ in right:
        x = expand_dims(x, -1)
    for _ in left:
        y = expand_dims(y, len(batch))
    return _Term(multiply(x, y), (*batch, *left, *right))


def _matched(a: _Term, b: _Term, inner: list[Label], first: int) -> _Term:
    """b, whose sizes along the inner labels are checked one by one: only their product would be by the matrices."""
    position = len(a.labels) - len(inner)
    mine, yours = a.tensor.spec.shape[position:], b.tensor.spec.shape[first : first + len(inner)]
    if all(dims.same(m, y) for m, y in zip(mine, yours, strict=True)):
        return b
    sizes = [
        *_sizes(b.tensor, range(first)),
        *_sizes(a.tensor, range(position, len(a.labels))),
        *_sizes(b.tensor, range(first + len(inner), len(b.labels))),
    ]
    return replace(b, tensor=broadcast_to(b.tensor, sizes))


def _grouped(tensor: Any, kept: Sequence[int], groups: Sequence[range]) -> Any:
    """The tensor with each group of axes as one axis, after those that are kept."""
    if all(len(group) == 1 for group in groups):
        return tensor
    merged = [_merged(tensor, group) for group in groups]
    return reshape(tensor, [*_sizes(tensor, kept), *merged])


def _merged(tensor: Any, group: range) -> Any:
    sizes = _sizes(tensor, group)
    if all(isinstance(size, int) for size in sizes):
        total = 1
        for size in sizes:
            total *= size
        return total
    return sizes[0] if len(sizes) == 1 else reduce_prod(shape(tensor)[group.start : group.stop], 0)


def _sizes(tensor: Any, axes: Sequence[int]) -> list[Any]:
    """Sizes of axes, ints where they are known."""
    return [tensor.shape[i].value if tensor.shape[i].value is not None else shape(tensor)[i] for i in axes]
