"""Loops and branches: the functional ops While and If, and while_loop and cond over them.

Bodies are FuncGraphs. All bodies of one op have the same inputs: the explicit ones first (carried values; none for a branch),
then one for each tensor of the graph around that any of them uses. What a body does not need for its outputs (or by
control dependencies of them) does not run, as in TensorFlow 1.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from graphc.ir import dims
from graphc.ir.dtypes import DType, bool_, int32
from graphc.ir.func_graph import FuncGraph
from graphc.ir.graph import Graph, get_default_graph
from graphc.ir.op import Effect, Op, attr, register
from graphc.ir.spec import Shape, Spec, text
from graphc.ir.tensor_shape import as_shape
from graphc.ops import nest
from graphc.ops.build import convert_to_tensor

if TYPE_CHECKING:
    from graphc.ir.tensor import Operation, Tensor


@register
class StatelessWhile(Op):
    """while cond(*input): input[:carried] = body(*input). The outputs are the carried inputs' last values."""

    operands = ("input*",)
    results = ("output*",)
    T: tuple[DType, ...] = attr("list(type)")
    cond: FuncGraph = attr("func")
    body: FuncGraph = attr("func")
    output_shapes: tuple[Shape | None, ...] = attr("list(shape)", ())
    parallel_iterations: int = attr("int", 10)

    def infer(self, *inputs: Spec) -> tuple[Spec, ...]:
        carried = len(self.body.outputs)
        return tuple(_carried_spec(first, i.spec, o.spec) for first, i, o in
                     zip(inputs[:carried], self.body.inputs, self.body.outputs, strict=False))


@register
class While(StatelessWhile):
    """A StatelessWhile whose bodies have effects."""

    effect = Effect.WRITE


@register
class StatelessIf(Op):
    """then_branch(*input) if cond else else_branch(*input)."""

    operands = ("cond", "input*")
    results = ("output*",)
    types = {"Tcond": "cond"}
    Tin: tuple[DType, ...] = attr("list(type)")
    Tout: tuple[DType, ...] = attr("list(type)")
    then_branch: FuncGraph = attr("func")
    else_branch: FuncGraph = attr("func")
    output_shapes: tuple[Shape | None, ...] = attr("list(shape)", ())

    def infer(self, cond: Spec, *inputs: Spec) -> tuple[Spec, ...]:
        if cond.dtype != bool_ or (cond.shape is not None and cond.shape != ()):
            raise TypeError(f"argument 'pred' must be a bool scalar, but is {cond}")
        return tuple(_merged_spec(self.then_branch, a.spec, self.else_branch, b.spec)
                     for a, b in zip(self.then_branch.outputs, self.else_branch.outputs, strict=True))


@register
class If(StatelessIf):
    """A StatelessIf whose branches have effects."""

    effect = Effect.WRITE


LOOPS = (StatelessWhile, While)
BRANCHES = (StatelessIf, If)


def bodies(definition: Op) -> tuple[FuncGraph, ...]:
    """The bodies of a loop or branch; () for every other op."""
    if isinstance(definition, StatelessWhile):
        return definition.cond, definition.body
    if isinstance(definition, StatelessIf):
        return definition.then_branch, definition.else_branch
    return ()


def has_effects(graph: FuncGraph) -> bool:
    return any(op.definition.effect is not Effect.PURE and op.type != "VariableV2" for op in graph.get_operations())


def _carried_spec(first: Spec, entering: Spec, leaving: Spec) -> Spec:
    """The spec of a carried value behind the loop: what holds on entry and, for sizes, after every iteration."""
    if entering.shape is None or leaving.shape is None or first.shape is None:
        return Spec(entering.dtype, None)
    return Spec(entering.dtype, tuple(
        f if dims.same(a, b) else dims.symbol(f"while.{i}")
        for i, (f, a, b) in enumerate(zip(first.shape, entering.shape, leaving.shape, strict=True))))


def _merged_spec(then: FuncGraph, a: Spec, otherwise: FuncGraph, b: Spec) -> Spec:
    if a.shape is None or b.shape is None or len(a.shape) != len(b.shape):
        return Spec(a.dtype, None)
    shape = []
    for i, (x, y) in enumerate(zip(a.shape, b.shape, strict=True)):
        x, y = _outer_size(then, x), _outer_size(otherwise, y)
        shape.append(x if x is not None and y is not None and dims.same(x, y) else dims.symbol(f"cond.{i}"))
    return Spec(a.dtype, tuple(shape))


def _outer_size(graph: FuncGraph, size: dims.Size) -> dims.Size | None:
    """A size of the body in terms of the graph around it, None if it is known only inside."""
    if isinstance(size, int):
        return size
    known = {next(iter(dims.atoms(inner))): outer for outer, inner in graph._sizes.items()}
    if not all(atom in known for atom in dims.atoms(size) if isinstance(atom, dims.Symbol)):
        return None
    return dims.substitute(size, known)  # type: ignore[arg-type]


# Building.

def new_function(name: str, make: Callable[[str, Graph], Any] = FuncGraph) -> Any:
    """An empty body inside the default graph, make(name, graph), listed under a unique name in the outermost graph."""
    outer = get_default_graph()
    root = outermost(outer)
    name = name.replace("/", "_")
    unique, count = name, 0
    while unique in root.functions:
        count += 1
        unique = f"{name}_{count}"
    graph = make(unique, outer)
    root.functions[unique] = graph
    return graph


def outermost(graph: Graph) -> Graph:
    while isinstance(graph, FuncGraph):
        graph = graph.outer_graph
    return graph


def align_captures(graphs: Sequence[FuncGraph]) -> list[Tensor]:
    """Gives all bodies the same captured inputs in the same order; returns the tensors to pass for them."""
    union = list(dict.fromkeys(t for graph in graphs for t in graph.captures))
    for graph in graphs:
        explicit = len(graph.inputs) - len(graph.captures)
        for tensor in union:
            graph.capture(tensor)
        graph.captures = {tensor: graph.captures[tensor] for tensor in union}
        graph.inputs[explicit:] = list(graph.captures.values())
    return union


def _outer_controls(graphs: Sequence[FuncGraph]) -> list[Operation]:
    """What the bodies' operations must wait for outside; left to the graph further out if it is not the nearest."""
    around = graphs[0].outer_graph
    waits = dict.fromkeys(op for graph in graphs for op in graph.outer_controls)
    if isinstance(around, FuncGraph):
        around.outer_controls.extend(op for op in waits if op.graph is not around)
    return [op for op in waits if op.graph is around]


def make_while(cond: FuncGraph, body: FuncGraph, initial: Sequence[Tensor], name: str,
               parallel_iterations: int = 10) -> list[Tensor]:
    """The While operation of two traced bodies; its outputs."""
    captured = align_captures([cond, body])
    inputs = [*initial, *captured]
    kind = While if has_effects(cond) or has_effects(body) else StatelessWhile
    op = kind(T=tuple(t.dtype for t in inputs), cond=cond, body=body, parallel_iterations=parallel_iterations,
              output_shapes=tuple(t.spec.static_shape for t in body.inputs[:len(initial)]))
    controls = _outer_controls([cond, body])
    return body.outer_graph.create(op, inputs, name=name, control_inputs=controls).outputs


def make_if(pred: Tensor, then: FuncGraph, otherwise: FuncGraph, name: str) -> Operation:
    """The If operation of two traced branches."""
    captured = align_captures([then, otherwise])
    kind = If if has_effects(then) or has_effects(otherwise) else StatelessIf
    op = kind(Tin=tuple(t.dtype for t in captured), Tout=tuple(t.dtype for t in then.outputs), then_branch=then,
              else_branch=otherwise, output_shapes=tuple(t.spec.static_shape for t in then.outputs))
    controls = _outer_controls([then, otherwise])
    return then.outer_graph.create(op, [pred, *captured], name=name, control_inputs=controls)


# while_loop

def while_loop(cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, shape_invariants: Any = None,
               parallel_iterations: int = 10, back_prop: bool = True, swap_memory: bool = False, name: str | None = None,
               maximum_iterations: Any = None, return_same_structure: bool = False) -> Any:
    """Repeats body while cond holds, as `tf.while_loop`.

    cond(*loop_vars) gives a bool scalar, body(*loop_vars) the next loop_vars. A size that changes from one iteration to the
    next is None in shape_invariants. back_prop=False: no gradient passes through. parallel_iterations and swap_memory
    have no effect. Raises ValueError if shapes or structures do not fit, TypeError for dtypes.
    """
    if not callable(cond) or not callable(body):
        raise TypeError("while_loop: arguments 'cond' and 'body' must be callable")
    if not nest.is_nested(loop_vars) or not nest.flatten(loop_vars):
        raise ValueError("while_loop: No loop variables provided: argument 'loop_vars' is a non-empty list or tuple")
    graph = get_default_graph()
    structure = loop_vars if isinstance(loop_vars, (list, tuple)) else [loop_vars]
    with graph.name_scope(name or "while") as scope:
        initial = [convert_to_tensor(v) for v in nest.flatten(structure)]
        specs = [_invariant(t, s, i) for i, (t, s) in enumerate(zip(initial, _invariants(structure, shape_invariants),
                                                                    strict=True))]
        test, step = _counted(cond, body, maximum_iterations, initial, specs)
        loop = _Loop(structure, specs, counted=maximum_iterations is not None)
        outputs = make_while(loop.trace_cond(test, scope), loop.trace_body(step, scope), initial, scope,
                             parallel_iterations)
    results = outputs[len(outputs) - len(loop.specs) + loop.counted:]
    if not back_prop:
        from graphc.ops.identity import stop_gradient

        results = [stop_gradient(t) for t in results]
    packed = nest.pack_sequence_as(structure, results)
    return packed[0] if len(packed) == 1 and not return_same_structure and isinstance(packed, (list, tuple)) else packed


def _invariants(structure: Any, shape_invariants: Any) -> list[Any]:
    count = len(nest.flatten(structure))
    if shape_invariants is None:
        return [None] * count
    found = _flatten_shapes(structure, shape_invariants)
    if len(found) != count:
        raise ValueError(f"while_loop: {len(found)} shape_invariants do not fit {count} loop variables")
    return found


def _flatten_shapes(structure: Any, shapes: Any) -> list[Any]:
    """Shape invariants in the order of the loop variables; a list of sizes where the structure has a leaf is one shape."""
    if not nest.is_nested(structure):
        return [as_shape(shapes)]
    if isinstance(structure, dict):
        return [s for key in nest._keys(structure) for s in _flatten_shapes(structure[key], shapes[key])]
    if len(structure) != len(shapes):
        raise ValueError(f"while_loop: {len(shapes)} shape_invariants do not fit {len(structure)} loop variables")
    return [s for part, shape in zip(structure, shapes, strict=True) for s in _flatten_shapes(part, shape)]


def _invariant(tensor: Tensor, shape: Any, position: int) -> Spec:
    """The spec that a loop variable has in every iteration: sizes not known now are symbols of the body's own."""
    static = tensor.spec.static_shape
    if shape is not None:
        if not shape.is_compatible_with(tensor.shape) or not _is_wider(shape.sizes, static):
            raise ValueError(f"while_loop: The shape invariant specified for {tensor.name} is not compatible with the "
                             f"initial shape of the loop variable. It enters the loop with shape {tensor.shape}, but the "
                             f"specified shape invariant is {shape}.")
        static = shape.sizes
    if static is None:
        return Spec(tensor.dtype, None)
    return Spec(tensor.dtype, tuple(dims.symbol(f"loop{position}.{i}") if s is None else s for i, s in enumerate(static)))


def _is_wider(wide: Any, narrow: Any) -> bool:
    if wide is None:
        return True
    return narrow is not None and all(a is None or a == b for a, b in zip(wide, narrow, strict=True))


def _counted(cond: Callable[..., Any], body: Callable[..., Any], limit: Any, initial: list[Tensor],
             specs: list[Spec]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """cond and body with a counter in front of the loop variables if there is a limit on the iterations."""
    if limit is None:
        return cond, body
    from graphc.ops.binary import add
    from graphc.ops.comparison import less, logical_and
    from graphc.ops.source import constant

    limit = convert_to_tensor(limit, int32, name="maximum_iterations")
    if limit.shape.ndims not in (0, None):
        raise ValueError(f"while_loop: maximum_iterations must be a scalar, saw shape: {limit.shape}")
    initial.insert(0, constant(0, int32, name="loop_counter"))
    specs.insert(0, Spec(int32, ()))

    def test(counter: Tensor, *variables: Any) -> Any:
        return logical_and(less(counter, limit), cond(*variables))

    def step(counter: Tensor, *variables: Any) -> Any:
        result = body(*variables)
        return [add(counter, 1), *(result if isinstance(result, (list, tuple)) else [result])]

    return test, step


class _Loop:
    """Traces the two bodies of one while_loop."""

    def __init__(self, structure: Any, specs: list[Spec], counted: bool) -> None:
        self.structure = structure
        self.specs = specs
        self.counted = int(counted)

    def _begin(self, name: str) -> tuple[FuncGraph, list[Any]]:
        graph = new_function(name)
        leaves = [graph.add_input(spec, f"loop_var_{i}") for i, spec in enumerate(self.specs)]
        packed = nest.pack_sequence_as(self.structure, leaves[self.counted:])
        return graph, [*leaves[:self.counted], *packed]

    def trace_cond(self, cond: Callable[..., Any], scope: str) -> FuncGraph:
        graph, variables = self._begin(f"{scope}cond")
        with graph.as_default():
            result = convert_to_tensor(cond(*variables))
            if result.dtype != bool_ or result.shape.ndims not in (0, None):
                raise TypeError(f"while_loop: cond must return a boolean scalar tensor, but returned {result!r}")
            graph.outputs = [result if result.graph is graph else graph.capture(result)]
        return graph

    def trace_body(self, body: Callable[..., Any], scope: str) -> FuncGraph:
        graph, variables = self._begin(f"{scope}body")
        with graph.as_default():
            result = body(*variables)
            result = list(result) if isinstance(result, (list, tuple)) else [result]
            expected = [*range(self.counted), *self.structure]
            nest.assert_same_structure(expected, result, "while_loop: loop_vars and what body returns")
            graph.outputs = [self._output(graph, value, i) for i, value in enumerate(nest.flatten(result))]
        return graph

    def _output(self, graph: FuncGraph, value: Any, position: int) -> Tensor:
        spec, variable = self.specs[position], graph.inputs[position]
        if value is None:
            raise ValueError(f"while_loop: body returned None for loop variable {position - self.counted}")
        from graphc.ops.build import is_tensor_like

        tensor = convert_to_tensor(value, None if is_tensor_like(value) else spec.dtype)
        tensor = tensor if tensor.graph is graph else graph.capture(tensor)
        if tensor.dtype != spec.dtype:
            raise TypeError(f"while_loop: loop variable {position - self.counted} enters the loop with dtype "
                            f"{spec.dtype.name}, but has dtype {tensor.dtype.name} after one iteration; cast one of them")
        if not _is_wider(spec.static_shape, tensor.spec.static_shape):
            raise ValueError(f"while_loop: Input tensor for loop variable {position - self.counted} enters the loop with shape "
                             f"{variable.shape}, but has shape {tensor.shape} after one iteration. To allow the shape "
                             "to vary across iterations, use the `shape_invariants` argument of gc.while_loop to "
                             "specify a less-specific shape.")
        return tensor


# cond

def cond(pred: Any, true_fn: Callable[[], Any] | None = None, false_fn: Callable[[], Any] | None = None,
         strict: bool = False, name: str | None = None, fn1: Callable[[], Any] | None = None,
         fn2: Callable[[], Any] | None = None) -> Any:
    """true_fn() if pred else false_fn(), as `tf.cond`: effects made inside a branch happen only if it is taken.

    Ops made outside of the two functions run whatever pred is. A one-element list counts as its element unless
    `strict`. Raises TypeError if pred is a Python bool, ValueError if the branches do not return alike.
    """
    true_fn, false_fn = true_fn or fn1, false_fn or fn2
    if not callable(true_fn) or not callable(false_fn):
        raise TypeError("cond: arguments 'true_fn' and 'false_fn' must be callable")
    if isinstance(pred, bool):
        raise TypeError("cond: pred must not be a Python bool; use Python's `if`, or gc.constant(pred)")
    graph = get_default_graph()
    with graph.name_scope(name or "cond") as scope:
        pred = convert_to_tensor(pred)
        if pred.dtype != bool_ or pred.shape.ndims not in (0, None):
            raise TypeError(f"cond: argument 'pred' must be a bool scalar, but is {pred!r}")
        then, otherwise = _trace_branch(true_fn, pred, f"{scope}true"), _trace_branch(false_fn, pred, f"{scope}false")
        _check_branches(then, otherwise, pred)
        operation = make_if(pred, then, otherwise, scope)
    structure = then.structured_outputs
    if structure is None:
        return operation
    packed = nest.pack_sequence_as(structure, operation.outputs)
    if not strict and isinstance(packed, (list, tuple)) and len(packed) == 1 and not hasattr(packed, "_fields"):
        return packed[0]
    return packed


def _trace_branch(function: Callable[[], Any], pred: Tensor, name: str) -> FuncGraph:
    graph = new_function(name)
    with graph.as_default():
        result = function()
        graph.structured_outputs = result
        if result is not None:
            graph.outputs = [_branch_output(graph, value, pred) for value in nest.flatten(result)]
    return graph


def _branch_output(graph: FuncGraph, value: Any, pred: Tensor) -> Tensor:
    from graphc.ir.tensor import Operation
    from graphc.ops.identity import identity

    if value is None:
        raise ValueError("cond: a branch returned a structure with None inside; return tensors")
    if isinstance(value, Operation):   # stands for its effect: a tensor that comes after it
        with graph.control_dependencies([value]):
            return identity(graph.capture(pred))
    if hasattr(value, "_ref") and value._ref().graph is not graph:
        value = value._as_graph_element()
    tensor = convert_to_tensor(value)
    return tensor if tensor.graph is graph else graph.capture(tensor)


def _check_branches(then: FuncGraph, otherwise: FuncGraph, pred: Tensor) -> None:
    a, b = then.structured_outputs, otherwise.structured_outputs
    if (a is None) != (b is None):
        raise ValueError("cond: true_fn and false_fn must both return values or both return None; "
                         f"they returned {a!r} and {b!r}")
    nest.assert_same_structure(a, b, "cond: what true_fn and false_fn return")
    for i, (x, y) in enumerate(zip(then.outputs, otherwise.outputs, strict=True)):
        if x.dtype != y.dtype:
            raise ValueError("cond: Outputs of true_fn and false_fn must have the same type: "
                             f"{x.dtype.name}, {y.dtype.name} (output {i}: {x.name}, {y.name})")


def case(pred_fn_pairs: Any, default: Callable[[], Any] | None = None, exclusive: bool = False, strict: bool = False,
         name: str | None = None) -> Any:
    """The first function whose predicate holds, else default(), as `tf.case`. Without a default the last one runs."""
    pairs = list(pred_fn_pairs.items()) if isinstance(pred_fn_pairs, dict) else list(pred_fn_pairs)
    if not pairs:
        raise ValueError("case: argument 'pred_fn_pairs' is empty")
    if default is None:
        *pairs, (_, default) = pairs
    chosen = default
    for pred, function in reversed(pairs):
        def chosen(pred: Any = pred, function: Any = function, rest: Any = chosen) -> Any:
            return cond(pred, function, rest, strict=strict)
    with get_default_graph().name_scope(name or "case"):
        return chosen()


__all__ = ["If", "StatelessIf", "StatelessWhile", "While", "bodies", "case", "cond", "text", "while_loop"]
