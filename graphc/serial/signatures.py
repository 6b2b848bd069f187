"""Signatures: the kinds of run that a file has a compiled Plan for."""
from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphc.api.public import public
from graphc.errors import InvalidArgumentError, UnimplementedError
from graphc.ir.graph import Graph
from graphc.ir.tensor import Operation, Tensor
from graphc.plan.plan import Host, Plan, Port
from graphc.serial.cpp_strings import in_cpp

if TYPE_CHECKING:
    from graphc.plan.compile import Compiled

_NATIVE = "assert:"            # begins the names of functions that the C++ library has (runner/src/host_calls.cpp)


@public("Signature")
@dataclass(frozen=True)
class Signature:
    """One kind of run of a saved model. (graphc's own)

    fetches: what a run computes, as gc.Session.run takes it: tensors and variables are its outputs, operations are run.
    inputs: the tensors that are fed; None: the placeholders that the fetches need, in the order in which they were
    made. Both: one, a list, or a dictionary whose keys name the outputs or inputs. shapes: of inputs by these names,
    where more is known of them than the graph says; None in a shape is any size. For `gc.export_model`. There what is
    no tensor or operation raises TypeError, and a shape of what is no input InvalidArgumentError.

    >>> x = gc.placeholder(gc.float32, [None, 2], name="x")
    >>> predict = gc.Signature(fetches={"total": gc.reduce_sum(x, axis=1)}, inputs={"x": x}, shapes={"x": [1, 2]})
    >>> predict.shapes
    {'x': [1, 2]}
    """

    fetches: Any
    inputs: Any = None
    shapes: Mapping[str, Sequence[int | None]] | None = None


def compile_signature(graph: Graph, signature: Signature, exact_random: bool = False) -> Compiled:
    """Raises InvalidArgumentError for what the graph does not have, UnimplementedError for what it cannot compile."""
    from graphc.passes.snapshot.needed import needed_operations
    from graphc.plan.compile import compile_graph

    fetched = named_elements(graph, signature.fetches)
    outputs = [(name, e) for name, e in fetched if isinstance(e, Tensor)]
    targets = [e for _, e in fetched if isinstance(e, Operation)]
    tensors = [t for _, t in outputs]
    if signature.inputs is None:
        needed = needed_operations(tensors, targets, set())
        inputs = [(op.outputs[0].name, op.outputs[0]) for op in needed if op.type == "Placeholder"]
    else:
        inputs = _inputs(graph, signature.inputs)
    shapes = _shapes(inputs, signature.shapes or {})
    compiled = compile_graph(tensors, targets, [t for _, t in inputs], [len(s) for s in shapes], feed_shapes=shapes,
                             exact_random=exact_random)
    plan = dataclasses.replace(compiled.plan, inputs=_renamed(compiled.plan.inputs, [n for n, _ in inputs]),
                               outputs=_renamed(compiled.plan.outputs, [n for n, _ in outputs]))
    return dataclasses.replace(compiled, plan=plan)


def named_elements(graph: Graph, given: Any) -> list[tuple[str, Tensor | Operation]]:
    """Each with the name that it has in the signature."""
    pairs = list(given.items()) if isinstance(given, Mapping) else [(None, e) for e in listed(given)]
    found = []
    for name, one in pairs:
        element = graph.as_graph_element(one._ref() if hasattr(one, "_ref") else one)
        assert isinstance(element, (Tensor, Operation))
        found.append((element.name if name is None else name, element))
    return found


def listed(values: Any) -> list[Any]:
    return list(values) if isinstance(values, (list, tuple)) else [values]


def _inputs(graph: Graph, given: Any) -> list[tuple[str, Tensor]]:
    found = []
    for name, element in named_elements(graph, given):
        if not isinstance(element, Tensor):
            raise InvalidArgumentError(f"signature: the input '{element.name}' is an operation; give the tensor, "
                                       f"'{element.name}:0'", element)
        found.append((name, element))
    return found


def _shapes(inputs: Sequence[tuple[str, Tensor]],
            given: Mapping[str, Sequence[int | None]]) -> list[tuple[int | None, ...]]:
    """A shape for each input; of those for which none is given, the graph's."""
    names = dict(inputs) | {name: t for _, t in inputs for name in (t.name, t.op.name)}
    by_tensor = {}
    for name, shape in given.items():
        if name not in names:
            raise InvalidArgumentError(f"signature: a shape is given for '{name}', but the inputs are "
                                       f"{', '.join(n for n, _ in inputs) or 'none'}")
        tensor = names[name]
        if not tensor.shape.is_compatible_with(list(shape)):
            raise InvalidArgumentError(f"signature: the shape {tuple(shape)} does not fit '{tensor.name}', which has "
                                       f"shape {tensor.shape}", tensor.op)
        by_tensor[tensor] = tuple(shape)
    found = []
    for _, tensor in inputs:
        static = tensor.spec.static_shape
        if tensor not in by_tensor and static is None:
            raise InvalidArgumentError(f"the rank of the input '{tensor.name}' is not known; give its placeholder a "
                                       "shape, or the signature one (unknown sizes are None)", tensor.op)
        found.append(by_tensor.get(tensor, static or ()))
    return found


def _renamed(ports: Sequence[Port], names: Sequence[str]) -> tuple[Port, ...]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidArgumentError(f"signature: '{twice[0]}' stands there twice; name inputs and outputs by a "
                                   "dictionary")
    return tuple(dataclasses.replace(port, name=name) for port, name in zip(ports, names, strict=True))


def check_native(compiled: Mapping[str, Compiled], functions_are_set: bool) -> None:
    """Raises UnimplementedError that lists all that the C++ library cannot run. functions_are_set: Python functions
    (py_func) may stay, as the embedder sets others for them."""
    wrong: dict[str, None] = {}
    for one in compiled.values():
        wrong |= dict.fromkeys(not_native(one.plan, functions_are_set))
    if wrong:
        raise UnimplementedError("the C++ library cannot run what is computed in Python:\n  " + "\n  ".join(wrong)
                                 + "\n  leave it out of the signature: compute it in Python, and feed its result")


def not_native(plan: Plan, functions_are_set: bool) -> list[str]:
    """What of the plan the C++ library cannot run, each by its op and the line that built it."""
    found = []
    for body in plan.bodies:
        for step in body.steps:
            if not isinstance(step, Host):
                continue
            name = plan.hosts[step.host]
            of_python = name.startswith(("op:", "strings:"))
            if name.startswith(_NATIVE) or in_cpp(name) or (functions_are_set and not of_python):
                continue
            origin = plan.origins[step.origins[0]] if step.origins else None
            where = f", built at {origin.file}:{origin.line}" if origin is not None and origin.file else ""
            found.append(name if origin is None else f"{origin.op_type} '{origin.op_name}'{where}")
    return found + [f"the variable '{row.name}', which holds strings" for row in plan.states if row.dtype == "str"]
