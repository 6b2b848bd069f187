"""cond: traces its branches into FuncGraphs and makes an If operation (control.py)."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from graphc.api.array.identity import identity
from graphc.api.control.control import make_if, new_function
from graphc.api.public import public
from graphc.ir import nest
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import bool_
from graphc.ir.func_graph import FuncGraph
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Operation

if TYPE_CHECKING:
    from graphc.ir.tensor import Tensor


@public("cond")
def cond(pred: Any, true_fn: Callable[[], Any] | None = None, false_fn: Callable[[], Any] | None = None,
         strict: bool = False, name: str | None = None, fn1: Callable[[], Any] | None = None,
         fn2: Callable[[], Any] | None = None) -> Any:
    """true_fn() if pred else false_fn(): effects made inside a branch happen only if it is taken.

    pred: a bool scalar; the functions return a tensor, None, or a structure of them. Ops made outside of the two
    functions run whatever pred is. A one-element list counts as its element unless `strict`. fn1, fn2: older names of
    the functions. As `tf.cond`. Raises TypeError if pred is a Python bool or a tensor of another dtype, ValueError if
    it is no scalar or the branches do not return alike.

    >>> x = gc.placeholder(gc.float32, [])
    >>> y = gc.cond(x > 0., lambda: gc.sqrt(x), lambda: gc.zeros_like(x))
    >>> y.eval({x: 9.}), y.eval({x: -9.})
    (np.float32(3.0), np.float32(0.0))
    >>> gc.gradients(y, x)[0].eval({x: 0.25})
    np.float32(1.0)
    """
    true_fn = _function("true_fn", true_fn if true_fn is not None else fn1)
    false_fn = _function("false_fn", false_fn if false_fn is not None else fn2)
    if isinstance(pred, bool):
        raise TypeError("cond: pred must not be a Python bool; use Python's `if`, or gc.constant(pred)")
    graph = get_default_graph()
    with graph.name_scope(name or "cond") as scope:
        pred = convert_to_tensor(pred)
        if pred.dtype != bool_ or pred.shape.ndims not in (0, None):
            kind = TypeError if pred.dtype != bool_ else ValueError
            raise kind(f"cond: argument 'pred' must be a bool scalar, but is {pred!r}")
        then, otherwise = (_trace_branch(function, pred, f"{scope}{name}", strict)
                           for function, name in ((true_fn, "true"), (false_fn, "false")))
        _check_branches(then, otherwise, pred)
        operation = make_if(pred, then, otherwise, scope)
    structure = then.structured_outputs
    if structure is None:
        return operation
    return nest.pack_like(structure, operation.outputs)


def _function(argument: str, given: Any) -> Callable[[], Any]:
    if not callable(given):
        raise TypeError(f"cond: argument '{argument}' must be callable, but is {given!r}; write it as a function of no "
                        "arguments: `lambda: ...`")
    return given  # type: ignore[no-any-return]


def _trace_branch(function: Callable[[], Any], pred: Tensor, name: str, strict: bool) -> FuncGraph:
    graph = new_function(name)
    with graph.as_default():
        result = function()
        if not strict and isinstance(result, (list, tuple)) and len(result) == 1 and not hasattr(result, "_fields"):
            result = result[0]
        graph.structured_outputs = result
        if result is not None:
            graph.outputs = [_branch_output(graph, value, pred) for value in nest.tensors_of(result)]
    return graph


def _branch_output(graph: FuncGraph, value: Any, pred: Tensor) -> Tensor:
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
                             f"{x.dtype.name}, {y.dtype.name} (output {i}: {x.name}, {y.name}); cast one of them "
                             "(gc.cast)")
