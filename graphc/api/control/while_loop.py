"""while_loop: traces its condition and body into FuncGraphs and makes the While operation (control.py)."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from graphc.api.array.identity import stop_gradient
from graphc.api.array.source import constant
from graphc.api.control.control import make_while, new_function
from graphc.api.math.binary import add
from graphc.api.math.comparison import less, logical_and
from graphc.api.public import public
from graphc.ir import dims, nest
from graphc.ir.apply import convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import bool_, int32, variant
from graphc.ir.func_graph import FuncGraph
from graphc.ir.graph import get_default_graph
from graphc.ir.spec import Spec
from graphc.ir.tensor_shape import as_shape

if TYPE_CHECKING:
    from graphc.ir.tensor import Tensor


@public("while_loop")
def while_loop(cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, shape_invariants: Any = None,
               parallel_iterations: int = 10, back_prop: bool = True, swap_memory: bool = False,
               name: str | None = None, maximum_iterations: Any = None, return_same_structure: bool = False) -> Any:
    """Repeats body while cond holds; the last loop_vars.

    Args:
        cond: cond(*loop_vars) gives a bool scalar.
        body: body(*loop_vars) gives the next loop_vars, in their structure.
        loop_vars: tensors, TensorArrays, or structures of them; one of them alone comes back alone.
        shape_invariants: shapes in the structure of loop_vars; a size that changes from one iteration to the next is
            None.
        back_prop: False: no gradient passes through.
        maximum_iterations: an int, or a scalar tensor.
        return_same_structure: False: one loop variable is not given as a list.
        parallel_iterations, swap_memory: have no effect.

    Gradients need no known number of iterations; loops may stand in loops and branches. As `tf.while_loop`. Raises
    ValueError if shapes or structures do not fit, TypeError for dtypes.

    >>> i, total = gc.while_loop(lambda i, total: total < 100, lambda i, total: (i + 1, total + i), (0, 0))
    >>> i.eval(), total.eval()
    (np.int32(15), np.int32(105))
    >>> x = gc.constant(1.5)
    >>> power = gc.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * x), (0, 1.))[1]
    >>> power.eval(), gc.gradients(power, x)[0].eval()
    (np.float32(3.375), np.float32(6.75))
    >>> grown = gc.while_loop(lambda v: gc.size(v) < 5, lambda v: gc.concat([v, v], 0), [gc.constant([7])],
    ...                       shape_invariants=[gc.TensorShape([None])])
    >>> grown.eval()
    array([7, 7, 7, 7, 7, 7, 7, 7], dtype=int32)
    """
    if not callable(cond) or not callable(body):
        raise TypeError("while_loop: arguments 'cond' and 'body' must be callable")
    if not nest.is_nested(loop_vars) or not nest.flatten(loop_vars):
        raise ValueError("while_loop: No loop variables provided: argument 'loop_vars' is a non-empty list or tuple")
    graph = get_default_graph()
    structure = loop_vars if isinstance(loop_vars, (list, tuple)) else [loop_vars]
    with graph.name_scope(name or "while") as scope:
        initial = [convert_to_tensor(v) for v in nest.tensors_of(structure)]
        specs = [_invariant(t, s, i) for i, (t, s) in enumerate(zip(initial, _invariants(structure, shape_invariants),
                                                                    strict=True))]
        test, step = _counted(cond, body, maximum_iterations, initial, specs)
        loop = _Loop(structure, specs, counted=maximum_iterations is not None)
        outputs = make_while(loop.trace_cond(test, scope), loop.trace_body(step, scope), initial, scope,
                             parallel_iterations)
    results = outputs[len(outputs) - len(loop.specs) + loop.counted:]
    if not back_prop:
        results = [stop_gradient(t) for t in results]
    packed = nest.pack_like(structure, results)
    return packed[0] if len(packed) == 1 and not return_same_structure and isinstance(packed, (list, tuple)) else packed


def _invariants(structure: Any, shape_invariants: Any) -> list[Any]:
    count = len(nest.tensors_of(structure))
    if shape_invariants is None:
        return [shape for leaf in nest.flatten(structure) for shape in _leaf_shapes(leaf, None)]
    found = _flatten_shapes(structure, shape_invariants)
    if len(found) != count:
        raise ValueError(f"while_loop: {len(found)} shape_invariants do not fit {count} loop variables")
    return found


def _leaf_shapes(leaf: Any, shape: Any) -> list[Any]:
    return leaf._part_invariants(shape) if nest.is_composite(leaf) else [shape]


def _flatten_shapes(structure: Any, shapes: Any) -> list[Any]:
    """Shape invariants in the order of the loop variables; a list of sizes where the structure has a leaf is one shape.
    """
    if not nest.is_nested(structure):
        return _leaf_shapes(structure, as_shape(shapes))
    if isinstance(structure, dict):
        return [s for key in nest.sorted_keys(structure) for s in _flatten_shapes(structure[key], shapes[key])]
    if len(structure) != len(shapes):
        raise ValueError(f"while_loop: {len(shapes)} shape_invariants do not fit {len(structure)} loop variables")
    return [s for part, shape in zip(structure, shapes, strict=True) for s in _flatten_shapes(part, shape)]


def _invariant(tensor: Tensor, shape: Any, position: int) -> Spec:
    """The spec that a loop variable has in every iteration: sizes not known now are symbols of the body's own."""
    static = tensor.spec.static_shape
    if shape is not None and tensor.dtype != variant:
        if not shape.is_compatible_with(tensor.shape) or not _is_wider(shape.sizes, static):
            raise ValueError(f"while_loop: The shape invariant specified for {tensor.name} is not compatible with the "
                             f"initial shape of the loop variable. It enters the loop with shape {tensor.shape}, but "
                             "the "
                             f"specified shape invariant is {shape}.")
        static = shape.sizes
    if static is None:
        return Spec(tensor.dtype, None)
    return Spec(tensor.dtype, tuple(dims.symbol(f"loop{position}.{i}") if s is None else s
                                    for i, s in enumerate(static)))


def _is_wider(wide: Any, narrow: Any) -> bool:
    if wide is None:
        return True
    return narrow is not None and all(a is None or a == b for a, b in zip(wide, narrow, strict=True))


def _counted(cond: Callable[..., Any], body: Callable[..., Any], limit: Any, initial: list[Tensor],
             specs: list[Spec]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """cond and body with a counter in front of the loop variables if there is a limit on the iterations."""
    if limit is None:
        return cond, body
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
        packed = nest.pack_like(self.structure, leaves[self.counted:])
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
            graph.outputs = [self._output(graph, value, i) for i, value in enumerate(nest.tensors_of(result))]
        return graph

    def _output(self, graph: FuncGraph, value: Any, position: int) -> Tensor:
        spec, variable = self.specs[position], graph.inputs[position]
        if value is None:
            raise ValueError(f"while_loop: body returned None for loop variable {position - self.counted}")
        tensor = convert_to_tensor(value, None if is_tensor_like(value) else spec.dtype)
        tensor = tensor if tensor.graph is graph else graph.capture(tensor)
        if tensor.dtype != spec.dtype:
            raise TypeError(f"while_loop: loop variable {position - self.counted} enters the loop with dtype "
                            f"{spec.dtype.name}, but has dtype {tensor.dtype.name} after one iteration; cast one of "
                            "them")
        if not _is_wider(spec.static_shape, tensor.spec.static_shape):
            raise ValueError(f"while_loop: Input tensor for loop variable {position - self.counted} enters the loop "
                             "with shape "
                             f"{variable.shape}, but has shape {tensor.shape} after one iteration. To allow the shape "
                             "to vary across iterations, use the `shape_invariants` argument of gc.while_loop to "
                             "specify a less-specific shape.")
        return tensor
