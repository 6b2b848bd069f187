"""split_parts: of a value that is split, a part that nobody reads is not copied, nor one that is read where it lies.

    split, unstack of x, some results unread   -> a view of x for each that is read
    the same of what no cache holds            -> views, if all are read, too

A view costs nothing if its reader is a map, and else the copy that the split would have made. Results that are all read
stay copies: in a cache, maps read rows without gaps a little faster. From memory each copy is read and written first.
After attention_strides, which looks through splits itself; before fusion, which lets maps read views.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from graphc.ir.dtypes import COMPUTED
from graphc.ir.node import Flow, Node, make_node
from graphc.ir.op import View, normalise_axis
from graphc.ir.records import dataclass
from graphc.ir.spec import Spec, with_requirements
from graphc.ops.array.join import Split, SplitV, Unpack
from graphc.passes.shared.rewriter import Reads, Replacement, asked_of, rewrite

if TYPE_CHECKING:
    from graphc.ir.steps import A, StepBuilder

BEYOND_CACHES = 3 << 23                # bytes that no cache is taken to hold, as kernels/cpu/stream.py has it


@dataclass(frozen=True)
class Part(View):
    """Result `index` of `split`, a Split, SplitV or Unpack, seen in what that splits."""

    type: ClassVar[str] = "_Part"
    operands = ("value",)
    results = ("output",)
    split: Any
    index: int

    def infer(self, *inputs: Spec) -> Spec:
        return self.split.infer(*inputs)[self.index]  # type: ignore[no-any-return]

    def reference(self, *inputs: Any) -> Any:
        return self.split.reference(*inputs)[self.index]

    def view(self, b: StepBuilder[A], x: A) -> A:
        if isinstance(self.split, Unpack):
            return x.select(normalise_axis(self.split.axis, x.rank), self.index)
        axis = normalise_axis(self.split.split_dim, x.rank)
        made, _ = with_requirements(self.split.infer, [Spec(x.dtype, x.shape)])
        sizes = [(spec.shape or ())[axis] for spec in made[:self.index + 1]]
        return x.part(axis, sum(sizes[:-1]), sizes[-1])


def split_parts(flow: Flow) -> Flow:
    reads = Reads(flow)

    @asked_of(Split, SplitV, Unpack)
    def parts(node: Node) -> Replacement:
        """split(x) -> a view of x for each part"""
        read = [reads(node.value(i)) > 0 for i in range(len(node.specs))]
        if node.inputs[0].spec.dtype not in COMPUTED or len(node.inputs) > 1 or (all(read) and not _is_far(node)):
            return None
        return tuple(make_node(Part(split=node.op, index=i), node.inputs, node.origins, node.after).value()
                     for i in range(len(node.specs)))

    return rewrite(flow, [parts], reads)


def _is_far(node: Node) -> bool:
    """Whether what is split is known to be more than caches hold."""
    x = node.inputs[0].spec
    size = x.dtype.size
    for extent in x.shape or ():
        size = size * extent if isinstance(extent, int) else 0
    return size >= BEYOND_CACHES
