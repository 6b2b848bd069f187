"""What a restore operation of a graph, ours or an imported one, puts where; and what to say if it fails."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import graphc as gc
from graphc.errors import InvalidArgumentError, NotFoundError, OpError, built_at
from graphc.io.checkpoint.opening import Checkpoint, missing_tensor, open_checkpoint
from graphc.io.checkpoint.slices import parse_slice

_FAILED = ("Restoring from checkpoint failed. This is most likely due to {} from the checkpoint. Please ensure that "
           "you have not altered the graph expected based on the checkpoint. Original error:\n\n{}")
OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"     # in checkpoints of tf.train.Checkpoint


@dataclass(frozen=True)
class Restored:
    """A tensor of a RestoreV2, and the variable that it is assigned to. reshaped: brought to its shape before."""

    name: str
    slice_spec: str
    tensor: Any
    variable: Any
    reshaped: bool


def restored_by(operation: Any) -> Iterator[Restored]:
    """What running `operation` restores, as far as it can be seen in the graph."""
    waiting, seen = [operation], set()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        if current.type == "Assign":
            yield from _of_assign(current)
        elif current.type in ("NoOp", "Identity"):
            waiting += [*current.control_inputs, *(t.op for t in current.inputs)]


def _of_assign(assign: Any) -> Iterator[Restored]:
    variable, value = assign.inputs[:2]
    reshaped = value.op.type == "Reshape"
    source = value.op.inputs[0] if reshaped or value.op.type == "Identity" else value
    if source.op.type == "RestoreV2":
        names, slices = (gc.get_static_value(t) for t in source.op.inputs[1:3])
        if names is not None and slices is not None:
            at = source.value_index
            yield Restored(names[at].decode(), slices[at].decode(), source, variable, reshaped)


def explained(error: OpError, operation: Any, prefix: str) -> OpError:
    """The error of a restore, with all names and shapes that do not fit."""
    checkpoint = open_checkpoint(prefix)
    found = sorted(restored_by(operation), key=lambda one: one.name)
    missing = [one for one in found if checkpoint.stored(one.name) is None]
    if missing:
        lines = [f"{missing_tensor(checkpoint, one.name)}{built_at(one.variable.op)}" for one in missing]
        if OBJECTS in checkpoint.names():
            lines.append("  it is a checkpoint of tf.train.Checkpoint, whose names are paths of objects; "
                         "gc.train.NewCheckpointReader reads it")
        return NotFoundError(_FAILED.format("a Variable name or other graph key that is missing", "\n".join(lines)),
                             error.op)
    wrong = [line for one in found if (line := _mismatch(one, checkpoint))]
    if wrong or isinstance(error, InvalidArgumentError):
        text = _FAILED.format("a mismatch between the current graph and the graph", "\n".join(wrong) or error.message)
        return InvalidArgumentError(text, error.op)
    return error


def _mismatch(one: Restored, checkpoint: Checkpoint) -> str:
    stored = checkpoint.stored(one.name)
    assert stored is not None
    wanted: tuple[int, ...] | None = None                       # None: any
    if one.slice_spec:
        wanted = parse_slice(one.slice_spec)[0]
    elif one.variable.shape.is_fully_defined():
        wanted = tuple(one.variable.shape.as_list())
    where = f"  variable '{one.variable.op.name}', in the checkpoint '{one.name}'{built_at(one.variable.op)}"
    if stored.dtype != one.variable.dtype:
        return (f"the variable has dtype {one.variable.dtype.name}, the checkpoint {stored.dtype.name}\n{where}")
    if wanted is not None and stored.shape != wanted and not one.reshaped:
        return ("Assign requires shapes of both tensors to match. lhs shape= "
                f"{list(wanted)} rhs shape= {list(stored.shape)}\n{where}")
    return ""
