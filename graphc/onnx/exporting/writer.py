"""The Writer: nodes of one ONNX graph, the initializers of the whole model, names, casts, and transpositions.

graphc's pictures mostly have channels last, ONNX's have them first. A rule transposes before and after; the Writer
knows what each transposition was made of, so that two in a row are none, and ops that do not care (`elementwise`) go in
front of them. What nothing uses in the end is not written.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import graphc as gc
from graphc.onnx.element_types import number_of
from graphc.onnx.exporting.rules import NoEquivalent
from graphc.onnx.package import onnx_package

SMALL = 1024         # bytes of a constant that is looked for among the others


class Names:
    """Names of values, each given once in the whole model, nested graphs included."""

    def __init__(self) -> None:
        self._used: set[str] = {""}

    def new(self, wanted: str) -> str:
        """`wanted`, or with a number after it."""
        name, count = wanted, 0
        while name in self._used:
            count += 1
            name = f"{wanted}_{count}"
        self._used.add(name)
        return name


class Writer:
    """Nodes of one graph. `scope` names what is made next; `initializers` belong to the whole model."""

    def __init__(self, names: Names, initializers: dict[str, np.ndarray], outer: Writer | None = None) -> None:
        self._onnx = onnx_package()
        self.names, self.initializers, self.outer = names, initializers, outer
        self.nodes: list[Any] = []
        self.values: dict[Any, Any] = {}              # tensors of the user's graph -> their names
        self.scope = "value"
        self._transposed: dict[str, tuple[str, list[int]]] = {}
        self._small: dict[Any, str] = {} if outer is None else outer._small

    # Nodes.

    def node(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Adds a node; its output's name, or a tuple of them. Attributes that are None are left out."""
        made = [self.names.new(self.scope if outputs == 1 else f"{self.scope}:{i}") for i in range(outputs)]
        given = {name: value for name, value in attributes.items() if value is not None}
        self.nodes.append(self._onnx.helper.make_node(kind, list(inputs), made, **given))
        return made[0] if outputs == 1 else tuple(made)

    def constant(self, value: Any, dtype: Any = None, name: str | None = None) -> str:
        """An initializer with this value."""
        array = np.asarray(value) if dtype is None else dtype.array(value)
        if array.dtype == object:
            array = np.vectorize(lambda v: v.encode() if isinstance(v, str) else v, otypes=[object])(array)
        key = None
        if array.nbytes <= SMALL and array.dtype != object and name is None:
            key = array.dtype.name, array.shape, array.tobytes()
            if key in self._small:
                return self._small[key]
        made = self.names.new(name or f"{self.scope}/constant")
        self.initializers[made] = array
        if key is not None:
            self._small[key] = made
        return made

    def nested(self) -> Writer:
        """The Writer of a graph inside this one."""
        made = Writer(self.names, self.initializers, self)
        made.scope = self.scope
        return made

    # Values.

    def value(self, tensor: Any) -> str:
        """The name of a tensor of the user's graph."""
        if tensor in self.values:
            return self.values[tensor]  # type: ignore[no-any-return]
        if self.outer is None:
            raise NoEquivalent(f"{tensor.name} is needed, but was not exported")
        return self.outer.value(tensor)

    def cast(self, name: str, dtype: Any) -> str:
        return self.node("Cast", name, to=number_of(dtype))  # type: ignore[no-any-return]

    def int64(self, tensor: Any) -> str:
        """The value of an integer tensor as int64: how ONNX has shapes, axes and the like."""
        value = gc.get_static_value(tensor)
        if value is not None:
            return self.constant(np.asarray(value, np.int64))
        name = self.value(tensor)
        return name if tensor.dtype == gc.int64 else self.cast(name, gc.int64)

    def int64_vector(self, *tensors: Any) -> str:
        """Scalars as one int64 vector."""
        parts = [self.node("Reshape", self.int64(t), self.constant([-1], gc.int64)) for t in tensors]
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=0)

    # Transpositions.

    def transpose(self, name: str, perm: Sequence[int]) -> str:
        """The value with its axes in this order; what it was transposed of before is taken into account."""
        source, before = self._transposed.get(name, (name, list(range(len(perm)))))
        order = [before[i] for i in perm]
        if order == sorted(order):
            return source
        made: str = self.node("Transpose", source, perm=order)
        self._transposed[made] = source, order
        return made

    def elementwise(self, kind: str, x: str, *more: str, **attributes: Any) -> str:
        """A node that does the same to each element of x, with scalars beside it; in front of a transposition."""
        source, order = self._transposed.get(x, (x, None))
        made: str = self.node(kind, source, *more, **attributes)
        return made if order is None else self.transpose(made, order)

    def row(self, kind: str, x: str, row: str, axis: int, rank: int) -> str:
        """x with a vector along an axis, in front of a transposition."""
        source, order = self._transposed.get(x, (x, list(range(rank))))
        at = order[axis]
        sizes = [-1 if i == at else 1 for i in range(rank)]
        if at == rank - 1:
            shaped = row
        elif row in self.initializers:
            shaped = self.constant(self.initializers[row].reshape(sizes), name=f"{row}/first")
        else:
            shaped = self.node("Reshape", row, self.constant(sizes, gc.int64))
        return self.transpose(self.node(kind, source, shaped), order)

    # The result.

    def used_nodes(self, outputs: Sequence[str]) -> list[Any]:
        """The nodes that the outputs need, in their order."""
        needed, kept = set(outputs), []
        for node in reversed(self.nodes):
            if needed.isdisjoint(node.output):
                continue
            kept.append(node)
            needed.update(node.input)
            for attribute in node.attribute:
                if attribute.type == 5:
                    needed.update(_names_in(attribute.g))
        return kept[::-1]


def _names_in(graph: Any) -> set[str]:
    """All names that a nested graph takes."""
    found = {info.name for info in graph.output}
    for node in graph.node:
        found.update(node.input)
        for attribute in node.attribute:
            if attribute.type == 5:
                found |= _names_in(attribute.g)
    return found
