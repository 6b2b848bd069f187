"""The rules by which nodes of ONNX become tensors: who registers them, how they are found, what they are given.

    @onnx_op("Relu")
    def relu(node, x): return gc.nn.relu(x)

A rule gets its Node and the node's inputs, None for those left out; it returns the output, or a tuple of all. `since`
is the version of the operator set from which on it holds: of several rules of an op the newest one not above the
model's version is taken.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

import graphc as gc
from graphc.errors import DataLossError, InvalidArgumentError, UnimplementedError

Rule = Callable[..., Any]
_RULES: dict[tuple[str, str], dict[int, Rule]] = defaultdict(dict)


def onnx_op(*names: str, since: int = 1, domain: str = "") -> Callable[[Rule], Rule]:
    """Declares a rule for the ops of these names."""
    def declare(rule: Rule) -> Rule:
        for name in names:
            if since in _RULES[domain, name]:
                raise ValueError(f"two rules for {name}, since version {since}")
            _RULES[domain, name][since] = rule
        return rule
    return declare


def rule_for(domain: str, name: str, version: int) -> Rule | None:
    """The newest rule not above the version, None if there is none."""
    fitting = [since for since in _RULES.get((domain, name), ()) if since <= version]
    return _RULES[domain, name][max(fitting)] if fitting else None


class ValueNeeded(InvalidArgumentError):
    """An input that must be known while the graph is built depends on inputs of the model: `.inputs` names them."""

    def __init__(self, message: str, inputs: list[str]) -> None:
        super().__init__(message)
        self.inputs = inputs


class Node:
    """A node of a model, as a rule sees it.

    op, domain, name: of the NodeProto; version: of the domain's operator set; outputs: their names, "" where one is not
    wanted; build: the GraphBuilder, for nested graphs.
    """

    def __init__(self, proto: Any, version: int, build: Any, attributes: dict[str, Any]) -> None:
        self.proto = proto
        self.op, self.domain, self.name = proto.op_type, proto.domain, proto.name
        self.version = version
        self.outputs = list(proto.output)
        self.input_names = list(proto.input)
        self.build = build
        self._attributes = attributes

    def __str__(self) -> str:
        return f"node {self.name!r} ({self.op}) -> {', '.join(self.outputs)}"

    def attr(self, name: str, default: Any = None) -> Any:
        """The value of an attribute: a number, str, array, GraphProto, or a list of those."""
        return self._attributes.get(name, default)

    def need(self, name: str) -> Any:
        """The value of an attribute that must be there."""
        if name not in self._attributes:
            raise DataLossError(f"{self}: the attribute {name!r} is missing")
        return self._attributes[name]

    def with_defaults(self, **attributes: Any) -> Node:
        """The node with these attributes where it has none of their names."""
        return Node(self.proto, self.version, self.build, {**attributes, **self._attributes})

    def standard(self, **attributes: Any) -> Node:
        """The node as one of ONNX' own operator set, whose rules another domain's node makes use of."""
        return Node(self.proto, self.build.version_of(""), self.build, {**self._attributes, **attributes})

    def wants(self, position: int) -> bool:
        """Whether the output is used under a name."""
        return position < len(self.outputs) and self.outputs[position] != ""

    def refuse(self, what: str) -> UnimplementedError:
        """The error for what the op may do and graphc cannot."""
        return UnimplementedError(f"{self}: {what}")

    def invalid(self, what: str) -> InvalidArgumentError:
        """The error for what is wrong in the model."""
        return InvalidArgumentError(f"{self}: {what}")

    # What is known while the graph is built.

    def known(self, x: Any, what: str) -> np.ndarray:
        """The value of a tensor. Raises ValueNeeded if it depends on what is fed."""
        value = self.maybe_known(x)
        if value is None:
            inputs = self.build.inputs_behind(x)
            hint = (f"; it comes of {', '.join(inputs)}: give it to gc.onnx.load, values={{{inputs[0]!r}: ...}}"
                    if inputs else "")
            raise ValueNeeded(f"{self}: {what} must be known while the graph is built{hint}", inputs)
        return value

    def maybe_known(self, x: Any) -> np.ndarray | None:
        """The value of a tensor, None if it depends on what is fed."""
        return self.build.value_of(x)  # type: ignore[no-any-return]

    def known_list(self, x: Any, what: str) -> list[Any]:
        """The value of a vector or scalar as a list."""
        return [v.item() for v in self.known(x, what).reshape(-1)]

    def rank(self, x: Any) -> int:
        """The number of axes. Raises ValueNeeded or UnimplementedError if it is not known."""
        if x.shape.ndims is None:
            numbers = self.build.inputs_behind(x, numbers=True)
            message = f"{self}: the rank of {x.name!r} must be known while the graph is built"
            if numbers:
                raise ValueNeeded(f"{message}; it comes of {', '.join(numbers)}: give values to gc.onnx.load", numbers)
            raise UnimplementedError(f"{message}; say the shapes of the model's inputs: "
                                     "gc.onnx.load(..., shapes={'name': [None, 3]})")
        return int(x.shape.ndims)

    def axis(self, x: Any, axis: int, extra: int = 0) -> int:
        """An axis of x counted from the front. Raises InvalidArgumentError if x has it not."""
        rank = self.rank(x) + extra
        if not -rank <= axis < max(rank, 1):
            raise self.invalid(f"axis {axis} is none of a tensor of rank {rank}")
        return axis % rank if rank else 0

    def axes(self, x: Any, given: Any, attribute: str = "axes") -> list[int] | None:
        """The axes of an op that has them as attribute or, later, as input; None if it has none."""
        axes = self.known_list(given, attribute) if given is not None else self.attr(attribute)
        return None if axes is None else [self.axis(x, int(axis)) for axis in axes]


def static_sizes(x: Any) -> list[int | None]:
    """The sizes of a tensor of known rank, None where not known."""
    return list(x.shape.as_list())


def sizes_of(x: Any) -> list[Any]:
    """The sizes of a tensor of known rank: ints, and int64 scalars where they are not known."""
    shape = gc.shape(x, out_type=gc.int64) if None in static_sizes(x) else None
    return [shape[i] if size is None else size for i, size in enumerate(static_sizes(x))]


def shape_vector(sizes: list[Any]) -> Any:
    """Sizes, ints or int64 scalars, as one int64 vector."""
    if all(isinstance(size, int) for size in sizes):
        return np.array(sizes, np.int64)
    return gc.stack([gc.constant(size, gc.int64) if isinstance(size, int) else size for size in sizes])


def full_like(x: Any, value: Any) -> Any:
    """A scalar of the dtype of x."""
    return gc.constant(value, x.dtype)
