"""What a restore operation of a graph, ours or an imported one, puts where; how that is done without the graph, and
what to say if it cannot be.

Run as a graph, a restore holds all tensors beside the variables. If nothing but reading and assigning is to be done,
the values are read where they belong, variable after variable.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import graphc as gc
from graphc.errors import InvalidArgumentError, NotFoundError, OpError, built_at
from graphc.io.checkpoint.opening import Checkpoint, missing_tensor, of_file, open_checkpoint
from graphc.io.checkpoint.slices import parse_slice
from graphc.train.saving.objects import OBJECTS, keys_of_variables

_FAILED = ("Restoring from checkpoint failed. This is most likely due to {} from the checkpoint. Please ensure that "
           "you have not altered the graph expected based on the checkpoint. Original error:\n\n{}")
_NOTHING_DONE = ("Const", "Placeholder", "PlaceholderWithDefault", "RestoreV2")
SHOWN = 20                                   # names of a kind in an error


@dataclass(frozen=True)
class Restored:
    """A tensor of a RestoreV2, and the variable that it is assigned to. reshaped: brought to its shape before."""

    name: str
    slice_spec: str
    tensor: Any
    variable: Any
    reshaped: bool


def restored_by(operation: Any) -> list[Restored]:
    """What running `operation` restores, as far as it can be seen in the graph."""
    found: list[Restored] = []
    _look(operation, found)
    return found


def restore_directly(session: Any, operation: Any, filename: str, prefix: str) -> bool:
    """Does what running `operation` does, if that is nothing but to restore variables from the checkpoint whose name is
    fed to the tensor `filename`. In one of tf.train.Checkpoint they are found by the names that they had, too.

    Raises NotFoundError, InvalidArgumentError, DataLossError; after the last one the variables are not initialised.
    """
    found: list[Restored] = []
    if not isinstance(session, gc.Session) or not _look(operation, found):
        return False
    if not all(one.tensor.op.inputs[0].name == filename and one.variable.shape.is_fully_defined() for one in found):
        return False
    checkpoint = open_checkpoint(prefix)
    keys = keys_of_variables(checkpoint)
    found = [one if checkpoint.stored(one.name) else replace(one, name=keys.get(one.name, one.name)) for one in found]
    error = _problems(found, checkpoint, operation)
    if error is not None:
        raise error
    texts = {one.variable.op.name: _value(one, checkpoint) for one in found if one.variable.dtype == gc.string}
    numbers = {one.variable.op.name: one for one in found if one.variable.dtype != gc.string}

    def fill(name: str, target: Any) -> None:
        one = numbers[name]
        stored = checkpoint.stored(one.name)
        assert stored is not None
        if one.slice_spec:
            target[...] = _value(one, checkpoint)
        else:
            checkpoint.read_into(one.name, target.reshape(stored.shape))

    try:
        session._fill_variables({name: (one.variable.dtype, tuple(one.variable.shape.as_list()))
                                 for name, one in numbers.items()}, fill, texts)
    except OSError as failed:
        raise of_file(failed) from None
    return True


def _look(operation: Any, found: list[Restored]) -> bool:
    """Finds what is restored; whether that is all that running the operation does."""
    waiting, seen, all_of_it = [operation], set(), True
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        waiting += current.control_inputs
        if current.type == "Assign":
            one = _of_assign(current)
            all_of_it &= one is not None
            found += [one] if one is not None else []
        elif current.type in ("NoOp", "Identity", *_NOTHING_DONE):
            waiting += [t.op for t in current.inputs]
        else:
            all_of_it = False
    return all_of_it and len({one.variable for one in found}) == len(found)


def _of_assign(assign: Any) -> Restored | None:
    variable, value = assign.inputs[:2]
    reshaped = value.op.type == "Reshape"
    source = value.op.inputs[0] if reshaped or value.op.type == "Identity" else value
    if source.op.type != "RestoreV2":
        return None
    names, slices = (gc.get_static_value(t) for t in source.op.inputs[1:3])
    if names is None or slices is None:
        return None
    at = source.value_index
    return Restored(names[at].decode(), slices[at].decode(), source, variable, reshaped)


def _value(one: Restored, checkpoint: Checkpoint) -> Any:
    if one.slice_spec:
        return checkpoint.part(one.name, parse_slice(one.slice_spec)[1])
    return checkpoint.tensor(one.name).reshape(one.variable.shape.as_list())


# What is wrong


def explained(error: OpError, operation: Any, prefix: str) -> OpError:
    """The error of a restore, with all names and shapes that do not fit."""
    problems = _problems(restored_by(operation), open_checkpoint(prefix), error.op)
    if problems is None and isinstance(error, InvalidArgumentError):
        return InvalidArgumentError(_FAILED.format("a mismatch between the current graph and the graph", error.message),
                                    error.op)
    return problems or error


def _problems(found: Sequence[Restored], checkpoint: Checkpoint, operation: Any) -> OpError | None:
    """One error with everything that does not fit, or None."""
    found = sorted(found, key=lambda one: one.name)
    missing = [one for one in found if checkpoint.stored(one.name) is None]
    there = [one for one in found if checkpoint.stored(one.name) is not None]
    wrong = [line for one in there if (line := _mismatch(one, checkpoint))]
    if not missing:
        kind = "a mismatch between the current graph and the graph"
        return InvalidArgumentError(_FAILED.format(kind, _capped(wrong)), operation) if wrong else None
    lines = [_capped(missing, lambda one: f"{missing_tensor(checkpoint, one.name)}{built_at(one.variable.op)}")]
    if wrong:
        lines.append(_capped(wrong))
    unused = sorted(set(checkpoint.names()) - {one.name for one in there} - {OBJECTS})
    if unused:
        lines.append("of the checkpoint are not used: "
                     + _capped(unused, lambda name: f"'{name}' {_shape(checkpoint, name)}", ", "))
    if OBJECTS in checkpoint.names():
        lines.append("  it is a checkpoint of tf.train.Checkpoint, whose names are paths of objects; "
                     "gc.train.NewCheckpointReader reads it")
    kind = "a Variable name or other graph key that is missing"
    return NotFoundError(_FAILED.format(kind, "\n".join(lines)), operation)


def _capped(values: Sequence[Any], line: Callable[[Any], str] = str, between: str = "\n") -> str:
    more = [f"and {len(values) - SHOWN} more"] if len(values) > SHOWN else []
    return between.join([*map(line, values[:SHOWN]), *more])


def _shape(checkpoint: Checkpoint, name: str) -> list[int]:
    stored = checkpoint.stored(name)
    assert stored is not None
    return list(stored.shape)


def _mismatch(one: Restored, checkpoint: Checkpoint) -> str:
    stored = checkpoint.stored(one.name)
    assert stored is not None
    wanted = parse_slice(one.slice_spec)[0] if one.slice_spec else tuple(one.variable.shape.as_list())
    where = f"  variable '{one.variable.op.name}', in the checkpoint '{one.name}'{built_at(one.variable.op)}"
    if stored.dtype != one.variable.dtype:
        return (f"the variable has dtype {one.variable.dtype.name}, the checkpoint {stored.dtype.name}\n{where}")
    same = math.prod(stored.shape) == math.prod(wanted) if one.reshaped else stored.shape == wanted
    if not same:
        return ("Assign requires shapes of both tensors to match. lhs shape= "
                f"{list(wanted)} rhs shape= {list(stored.shape)}\n{where}")
    return ""
