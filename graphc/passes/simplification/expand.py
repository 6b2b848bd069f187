"""expand: a Composite op becomes the ops it is made of, until none is left; so does what has no kernel for its numbers
(passes/shared/number_types.py).

The new nodes keep the user's ops behind the old one as their origins, and come after what it came after; one whose
fields hold a size that only another operand of the old one has, after that operand, too.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.ir import dims
from graphc.ir.node import Flow, Node, Value, make_node
from graphc.ir.op import Composite, Op
from graphc.passes.shared.number_types import in_float32, of_parts, product_of_complex
from graphc.passes.shared.rewriter import Replacement, asked_of, rewrite


def expand(flow: Flow) -> Flow:
    return rewrite(flow, [in_float32, of_parts, product_of_complex, expand_composite])


@asked_of(Composite)
def expand_composite(node: Node) -> Replacement:
    """composite(x) -> its expansion"""

    def emit(op: Op, *inputs: Value) -> Any:
        made = make_node(op, inputs, node.origins, (*node.after, *_bearers(op, inputs, node)))
        return made.value() if len(made.specs) == 1 else tuple(made.value(i) for i in range(len(made.specs)))

    result = node.op.expand(emit, *node.inputs)  # type: ignore[attr-defined]
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)


def _bearers(op: Op, inputs: Sequence[Value], node: Node) -> list[Node]:
    """The operands of a composite that have a size which the new op needs, and which its own operands do not have."""
    missing = _atoms(op.sizes()) - {a for v in inputs for a in _atoms(v.spec.shape or ())}
    if not missing:
        return []
    return [v.node for v in node.inputs if v not in inputs and missing & _atoms(v.spec.shape or ())]


def _atoms(sizes: Sequence[Any]) -> set[Any]:
    return {atom for size in sizes if not isinstance(size, int) for atom in dims.atoms(size)}
