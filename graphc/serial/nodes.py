"""The op of a node: what graphs and functions of a file share."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphc.errors import DataLossError
from graphc.ir.apply import resolve_fields
from graphc.ir.op import Op
from graphc.ir.tensor import Tensor, split_operands

_COUNTS = ("num_split", "num")             # the fields that say how many results an op has
_MOST_RESULTS = 1 << 20


def make_definition(op: type[Op], fields: dict[str, Any], inputs: Sequence[Tensor]) -> Op:
    """The op with its fields, those among them that are input tensors included. Raises DataLossError for too few
    inputs, or more results than any graph has."""
    count = max((fields.get(name, 0) for name in _COUNTS), default=0)
    if isinstance(count, int) and count > _MOST_RESULTS:
        raise DataLossError(f"it is said to have {count} results; the file is damaged")
    fixed = sum(not o.endswith("*") for o in op.operands)
    if len(inputs) < fixed or (len(inputs) > fixed and not op.is_variadic()):
        raise DataLossError(f"it has {len(inputs)} inputs, but {op.type} takes {', '.join(op.operands) or 'none'}")
    return op(**fields, **resolve_fields(op, split_operands(op, inputs)))
