"""switch and merge, TensorFlow 1's primitives of branches, made of what graphc has: cond.

A switch gives its data twice, for either side; on the side that is not taken it refuses to run. merge finds the
operations between the switches and its inputs, and makes branches of a cond of copies of them: only the inputs of the
side taken are computed, with their effects. The operations that were copied are left behind and run only if they are
asked for.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from graphc.api.array.identity import identity
from graphc.api.control.cond import cond
from graphc.api.control.script import Assert
from graphc.api.math.comparison import logical_and, logical_not
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.func_graph import FuncGraph
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Operation, Tensor


class Merge(NamedTuple):
    """What merge gives."""

    output: Tensor
    value_index: Tensor


@dataclass(frozen=True)
class _Side:
    """One output of a switch: it is `data` if `taken`."""

    data: Tensor
    taken: Tensor


_SIDES = "_sides_of_switches"     # the collection that holds (operation, _Side)


@public("compat.v1.python.ops.control_flow_ops.switch")
def switch(data: Any, pred: Any, dtype: Any = None, name: str | None = None) -> tuple[Tensor, Tensor]:
    """(data if not pred, data if pred): TensorFlow's control_flow_ops.switch, for `merge` to join again.

    The side that is not taken raises InvalidArgumentError when it runs outside of a merge. data: of any dtype and
    shape; pred: a bool scalar (TypeError for other dtypes).

    >>> from graphc.compat.v1.python.ops import control_flow_ops
    >>> pred = gc.placeholder(gc.bool, [])
    >>> no, yes = control_flow_ops.switch(gc.constant(3.), pred)
    >>> y = control_flow_ops.merge([-no, 10. * yes]).output
    >>> y.eval({pred: True}), y.eval({pred: False})
    (np.float32(30.0), np.float32(-3.0))
    """
    graph = get_default_graph()
    with graph.name_scope(name or "Switch"):
        data, pred = convert_to_tensor(data, dtype, name="data"), convert_to_tensor(pred, name="pred")
        return _side(data, logical_not(pred), "false"), _side(data, pred, "true")


def _side(data: Tensor, taken: Tensor, name: str) -> Tensor:
    graph = get_default_graph()
    said = f"switch: the {name} side of {data.name} is used outside of a merge, and is not the one taken; use gc.cond"
    with graph.control_dependencies([Assert(taken, [said])]):
        made: Tensor = identity(data, name=name)
    graph.add_to_collection(_SIDES, (made.op, _Side(data, taken)))
    return made


@public("compat.v1.python.ops.control_flow_ops.merge")
def merge(inputs: Sequence[Any], name: str | None = None) -> Merge:
    """(output, value_index): the input whose side of its switches is taken, and its place (int32).

    As TensorFlow's control_flow_ops.merge. Raises InvalidArgumentError when it runs and none is taken, and ValueError,
    while building, for an input that comes from no switch and for dtypes that differ.

    >>> from graphc.compat.v1.python.ops import control_flow_ops
    >>> no, yes = control_flow_ops.switch(gc.constant(3.), gc.constant(True))
    >>> control_flow_ops.merge([no, yes]).value_index.eval()
    np.int32(1)
    """
    sides = dict(get_default_graph().get_collection(_SIDES))
    with get_default_graph().name_scope(name or "Merge"):
        parts = [_Part.of(convert_to_tensor(x), sides) for x in inputs]
        if not parts or not all(p.sides for p in parts):
            raise ValueError("merge: every input must come from a switch; use gc.cond for anything else")
        return Merge(*_choose(parts, 0))


def _choose(parts: Sequence[_Part], i: int) -> list[Tensor]:
    """[value, its place] of the first of parts[i:] that is taken."""
    def here() -> list[Tensor]:
        return [parts[i].copied(), convert_to_tensor(i, name="value_index")]

    def there() -> list[Tensor]:
        if i + 1 < len(parts):
            return _choose(parts, i + 1)
        with get_default_graph().control_dependencies([Assert(False, ["merge: no input is taken"])]):
            return [identity(x) for x in here()]

    chosen: list[Tensor] = cond(parts[i].taken(), here, there)
    return chosen


@dataclass(frozen=True)
class _Part:
    """An input of a merge, and what lies between it and its switches, those included, in the order it was made in."""

    value: Tensor
    operations: tuple[Operation, ...]
    sides: dict[Operation, _Side]

    @classmethod
    def of(cls, value: Tensor, all_sides: dict[Operation, _Side]) -> _Part:
        depends: dict[Operation, bool] = {}       # whether the operation depends on a switch
        for operation in value.graph.get_operations():
            depends[operation] = operation in all_sides or any(depends.get(o) for o in _sources(operation))
        needed, left = set(), [value.op]
        while left:
            operation = left.pop()
            if depends[operation] and operation not in needed:
                needed.add(operation)
                left += [all_sides[operation].data.op] if operation in all_sides else _sources(operation)
        sides = {o: all_sides[o] for o in depends if o in needed and o in all_sides}
        for side in sides.values():
            if depends[side.taken.op]:
                raise ValueError(f"merge: the condition {side.taken.name} of a switch comes from another switch, which "
                                 "is not supported; use gc.cond inside of gc.cond")
        return cls(value, tuple(o for o in depends if o in needed), sides)

    def taken(self) -> Tensor:
        """Whether all its switches take it."""
        whole: Tensor = convert_to_tensor(True)
        for side in self.sides.values():
            whole = logical_and(whole, side.taken)
        return whole

    def copied(self) -> Tensor:
        """The value, computed again in the default graph."""
        tensors: dict[Tensor, Tensor] = {}
        operations: dict[Operation, Operation] = {}
        for operation in self.operations:
            if operation in self.sides:
                data = self.sides[operation].data
                tensors[operation.outputs[0]] = tensors.get(data, data)
                continue
            controls = [operations.get(o, o) for o in operation.control_inputs if o not in self.sides]
            operations[operation] = _copy(operation, [tensors.get(t, t) for t in operation.inputs], controls)
            tensors.update(zip(operation.outputs, operations[operation].outputs, strict=True))
        return tensors.get(self.value, self.value)


def _copy(operation: Operation, inputs: Sequence[Tensor], controls: Sequence[Operation]) -> Operation:
    graph, definition = get_default_graph(), operation.definition
    if any(isinstance(getattr(definition, field.name), FuncGraph) for field in fields(definition)):
        raise ValueError(f"merge: {operation.name}, a loop or branch, lies between a switch and a merge, which is not "
                         "supported; use gc.cond")
    with graph.control_dependencies(controls):
        return graph.create(definition, inputs, name=operation.name.rpartition("/")[2])


def _sources(operation: Operation) -> list[Operation]:
    return [*(t.op for t in operation.inputs), *operation.control_inputs]
