"""Output specs of a new operation, and what is said if there are none because the user's arguments do not fit."""
from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from graphc.errors import OpError, built_at
from graphc.ir.node import Origin
from graphc.ir.op import Op
from graphc.ir.spec import Spec
from graphc.ir.tensor import Tensor, split_operands


def infer_outputs(op: Op, inputs: Sequence[Tensor], name: str, line: tuple[str, int]) -> tuple[Spec, ...]:
    """`op.infer` on the operands that are no fields.

    Raises ValueError (shapes) or TypeError (dtypes) naming the op, its arguments and the user's line.
    """
    operands = split_operands(type(op), inputs)
    fields = op.field_operands()
    values = [t for key, value in operands.items() if key not in fields
              for t in (value if isinstance(value, tuple) else (value,))]
    if any(getattr(op, key) is None for key in fields) or (op.drops_ones and not _is_shape_known(values[0].spec)):
        # Nor is the shape of any output, until the feeds are.
        return tuple(Spec(dtype, None) for dtype in op.result_dtypes(*(t.spec for t in values)))
    try:
        specs = op.infer(*(t.spec for t in values))
    except OpError:
        raise
    except (ValueError, TypeError) as error:
        raise type_of(error)(explain(op, operands, name, line, str(error))) from None
    return specs if isinstance(specs, tuple) else (specs,)


def _is_shape_known(spec: Spec) -> bool:
    return spec.shape is not None and all(isinstance(size, int) for size in spec.shape)


def type_of(error: Exception) -> type[Exception]:
    return TypeError if isinstance(error, TypeError) else ValueError


def explain(op: Op, operands: dict[str, Any], name: str, line: tuple[str, int], problem: str) -> str:
    """The message of an error while building: op, problem, arguments, fields, the user's line."""
    rows = [f"{op.type} '{name}': {problem}"]
    for key, value in operands.items():
        tensors = value if isinstance(value, tuple) else (value,)
        label = key.rstrip("*")
        rows += [f"  {label}{f'[{i}]' if isinstance(value, tuple) else ''}: {t.spec.shown()} from '{t.name}'"
                 for i, t in enumerate(tensors)]
    shown = [f"{f.name}={_short(getattr(op, f.name))}" for f in dataclasses.fields(op) if not f.metadata.get("operand")]
    if shown:
        rows.append(f"  attributes: {', '.join(shown)}")
    return "\n".join(rows) + built_at(Origin(name, op.type, *line))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
