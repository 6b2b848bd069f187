"""Example values of a program's names, set by set, while it is being made: what fits with what, not the oracle.

A value is a list of arrays, one a set; None: the program does not work with that set's feeds. Gradients and variables
get stand-ins of the right shape, as only shapes matter here.
"""
from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.exec.reference import apply_reference
from graphc.ir.apply import field_value
from graphc.ir.op import OPS, Op
from graphc.ir.tensor import split_operands
from graphc.ir.values import as_array

from oracle import spec_of
from programs import Apply, Block, Call, Cond, Gradients, Input, While, takes_variable

LARGEST = 4096       # elements of a value
ITERATIONS = 12


class Unfit(Exception):
    """The op does not take these arrays, or makes too much of them."""


def concrete(op: type[Op], inputs: Sequence[Any], attributes: dict[str, Any]) -> tuple[Op, list[np.ndarray]]:
    """The op with all its fields, and the arrays of the operands that are no fields."""
    operands = split_operands(op, inputs)
    fields, rest = dict(attributes), []
    for f in dataclasses.fields(op):
        if f.metadata.get("operand"):
            value = np.asarray(operands[f.name])
            fields[f.name] = field_value(f.metadata["kind"], tuple(int(v) for v in value.ravel()), value.shape)
    for name, value in operands.items():
        if name.rstrip("*") not in op.field_operands():
            rest.extend(value if name.endswith("*") else [value])
    return op(**fields), rest


def results_of(op: type[Op], inputs: Sequence[Any], attributes: dict[str, Any]) -> list[np.ndarray]:
    """Raises Unfit."""
    try:
        instance, arrays = concrete(op, inputs, attributes)
        instance.infer(*map(spec_of, arrays))
        with np.errstate(all="ignore"):
            made = apply_reference(instance, arrays)
    except Exception as error:     # whatever the reference says of arguments that do not fit
        raise Unfit(f"{type(error).__name__}: {error}") from error
    found = [as_array(r) for r in made]
    if any(r.size > LARGEST or r.ndim > 5 for r in found):
        raise Unfit("too large")
    return found


def _check(op: type[Op], arrays: Sequence[Any], attributes: dict[str, Any]) -> None:
    """Raises Unfit if inference does not take the arrays."""
    try:
        instance, rest = concrete(op, arrays, attributes)
        instance.infer(*map(spec_of, rest))
    except Exception as error:
        raise Unfit(f"{type(error).__name__}: {error}") from error


class Example:
    """The values of one set."""

    def __init__(self, number: int) -> None:
        self.number = number

    def all(self, statements: Sequence[Any], values: dict[str, Any]) -> None:
        for statement in statements:
            self.one(statement, values)

    def one(self, s: Any, values: dict[str, Any]) -> None:
        """Adds what the statement defines. Raises Unfit."""
        if isinstance(s, Input):
            values[s.name] = s.values[self.number if s.kind == "placeholder" else 0]
        elif isinstance(s, Apply):
            values.update(zip(s.outputs, self._apply(s, values), strict=False))
        elif isinstance(s, Call):
            values.update(zip(s.outputs, _called(s.function, [values[i] for i in s.inputs]), strict=True))
        elif isinstance(s, Gradients):
            values.update({o: np.asarray(values[x] * 0.5) for o, x in zip(s.outputs, s.xs, strict=True)})
        elif isinstance(s, Cond):
            block = s.then if values[s.pred] else s.otherwise
            values.update(zip(s.outputs, self._block(block, dict(values)), strict=True))
        else:
            values.update(zip(s.outputs, self._loop(s, values), strict=True))

    def _apply(self, s: Apply, values: dict[str, Any]) -> list[np.ndarray]:
        op = OPS[s.op]
        if op.type == "IsVariableInitialized":
            return [np.asarray(True)]
        arrays = [i if isinstance(i, np.ndarray) else values[i] for i in s.inputs]
        if op.refs:
            _check(op, arrays, s.attributes)
            return [a for i, a in enumerate(arrays) if takes_variable(op, i)][:1]
        return results_of(op, arrays, s.attributes)

    def _block(self, block: Block, values: dict[str, Any]) -> list[np.ndarray]:
        self.all(block.statements, values)
        return [values[r] for r in block.results]

    def _loop(self, s: While, values: dict[str, Any]) -> list[np.ndarray]:
        carried = [values[i] for i in s.initial]
        for _ in range(ITERATIONS):
            inner = {**values, **dict(zip(s.params, carried, strict=True))}
            if not self._block(s.test, dict(inner))[0]:
                return carried
            carried = self._block(s.body, inner)
        raise Unfit("too many iterations")


def _called(function: str, arrays: list[np.ndarray]) -> list[np.ndarray]:
    if function == "gc.boolean_mask":
        if arrays[0].shape[:1] != arrays[1].shape:
            raise Unfit("a mask of another size")
        return [arrays[0][arrays[1]]]
    if function == "gc.Assert":
        return [np.asarray(True)]
    return [arrays[0] + arrays[0] if function == "twice" else arrays[0]]
