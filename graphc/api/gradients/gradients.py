"""gradients and hessians: what users call; walk.py finds the way, bodies.py goes through loops and branches.

Variables count as their ref tensor, so the gradient of a variable gathers over every read of it.
"""
from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from graphc.api.array.fill import ones_like
from graphc.api.array.join import stack
from graphc.api.array.shapes import reshape
from graphc.api.gradients import bodies  # noqa: F401  (gradients of loops and branches)
from graphc.api.gradients.slices import IndexedSlices
from graphc.api.gradients.walk import backward, zeros_for
from graphc.api.public import public
from graphc.errors import UnimplementedError, built_at
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import variant
from graphc.ir.func_graph import FuncGraph
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor


@public("UnconnectedGradients")
class UnconnectedGradients:
    """What `gradients` gives for an x that no y depends on: NONE (None) or ZERO. As `tf.UnconnectedGradients`.

    >>> x = gc.constant([1., 2.])
    >>> gc.gradients(gc.constant(5.), x)
    [None]
    >>> gc.gradients(gc.constant(5.), x, unconnected_gradients=gc.UnconnectedGradients.ZERO)[0].eval()
    array([0., 0.], dtype=float32)
    """

    NONE = "none"
    ZERO = "zero"


@public("AggregationMethod")
class AggregationMethod:
    """Names of TensorFlow's ways to add up gradients; graphc has one way, and results do not differ.

    As `tf.AggregationMethod`. `gc.gradients` raises ValueError for others.

    >>> x = gc.constant(3.)
    >>> gc.gradients(x * x, x, aggregation_method=gc.AggregationMethod.ADD_N)[0].eval()
    np.float32(6.0)
    """

    ADD_N = 0
    DEFAULT = 0
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


@public("gradients")
def gradients(ys: Any, xs: Any, grad_ys: Any = None, name: str = "gradients", colocate_gradients_with_ops: bool = False,
              gate_gradients: bool = False, aggregation_method: int | None = None, stop_gradients: Any = None,
              unconnected_gradients: str = UnconnectedGradients.NONE) -> list[Any]:
    """For each x the gradient of the sum of ys, a list; None if no y depends on it.

    Args:
        ys, xs: a tensor (variable) or a list of them, as grad_ys and stop_gradients.
        grad_ys: the gradients that arrive at the ys, ones by default.
        stop_gradients: tensors taken as independent of what they are made of; those among the xs have their own
            gradients, the partial derivatives.
        unconnected_gradients: `gc.UnconnectedGradients.ZERO` gives zeros in place of None.
        colocate_gradients_with_ops, gate_gradients, aggregation_method: change nothing.

    It goes through loops and branches, and through its own results (second derivatives). Integers and bools have no
    gradients: None (`gc.debugging.why_no_gradient` says where they end). The gradient of what is only gathered from is
    IndexedSlices. As `tf.gradients`. Raises LookupError for an op without gradient, TypeError for a y that holds no
    numbers. Raises ValueError for grad_ys of another number or shape than ys.

    >>> x, w = gc.constant([1., 2.]), gc.Variable(3.)
    >>> y = w * x * x
    >>> w.initializer.run()
    >>> [gradient.eval() for gradient in gc.gradients(y, [x, w])]
    [array([ 6., 12.], dtype=float32), np.float32(5.0)]
    >>> second = gc.gradients(gc.gradients(y, x), x)[0]
    >>> second.eval()
    array([6., 6.], dtype=float32)
    >>> gc.gradients(y, x, grad_ys=[[10., 0.]])[0].eval()
    array([60.,  0.], dtype=float32)
    """
    if aggregation_method not in (None, 0, 1, 2):
        raise ValueError(f"Invalid aggregation_method specified {aggregation_method}.")
    y_list = [convert_to_tensor(y) for y in _listed(ys)]
    x_list = [_element(x) for x in _listed(xs)]
    stops = [_element(s) for s in _listed(stop_gradients)] if stop_gradients is not None else []
    dys = _listed(grad_ys) if grad_ys is not None else [None] * len(y_list)
    if len(dys) != len(y_list):
        raise ValueError(f"gradients: {len(dys)} grad_ys do not fit {len(y_list)} ys")
    graph = _graph(y_list)
    with graph.as_default(), graph.name_scope(name):
        starts = [(y, _start(y, dy, i)) for i, (y, dy) in enumerate(zip(y_list, dys, strict=True)) if _has_gradients(y)]
        found = backward([y for y, _ in starts], [dy for _, dy in starts], x_list, stops, _captured())
        if unconnected_gradients == UnconnectedGradients.ZERO:
            found = [zeros_for(x) if dx is None else dx for x, dx in zip(x_list, found, strict=True)]
        elif unconnected_gradients != UnconnectedGradients.NONE:
            raise ValueError("gradients: unknown value for argument 'unconnected_gradients': "
                             f"{unconnected_gradients!r}")
    return found


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _graph(ys: Sequence[Tensor]) -> Any:
    graph = get_default_graph()
    return graph if graph.building_function or not ys else ys[0].graph


def _element(x: Any) -> Tensor:
    """A tensor to differentiate by."""
    if isinstance(x, IndexedSlices):
        raise TypeError(f"gradients: cannot differentiate by {x!r}; differentiate by its .values")
    return x._ref() if hasattr(x, "_ref") else convert_to_tensor(x)


def _captured() -> dict[Tensor, Tensor]:
    """The inputs of the bodies that are being built which stand for tensors outside, and those tensors: what a body
    uses may depend on an x by operations outside of it."""
    found: dict[Tensor, Tensor] = {}
    graph = get_default_graph()
    while isinstance(graph, FuncGraph):
        found.update((inner, outer) for outer, inner in graph.captures.items())
        graph = graph.outer_graph
    return found


def _has_gradients(y: Tensor) -> bool:
    """Whether y is of floating point. Raises TypeError if it holds no numbers at all."""
    if y.dtype.is_differentiable and y.dtype != variant:
        return True
    if y.dtype.is_integer or y.dtype.is_bool:
        return False
    raise TypeError(f"gradients: '{y.name}' has dtype {y.dtype.name}; only numbers have gradients{built_at(y.op)}")


def _start(y: Tensor, dy: Any, position: int) -> Tensor:
    if dy is None:
        if y.dtype.is_complex:
            raise TypeError(f"Gradients of complex tensors must set grad_ys (y.dtype = {y.dtype!r})")
        return ones_like(y, name=f"grad_ys_{position}")
    given = convert_to_tensor(dy, y.dtype, name=f"grad_ys_{position}")
    if given.shape.is_compatible_with(y.shape):
        return given
    if _without_ones(given) is not None and _without_ones(given) == _without_ones(y):
        return reshape(given, y.shape)       # as [1, 5] for a y of [5]: TensorFlow does not look at shapes here
    raise ValueError(f"gradients: grad_ys[{position}] has shape {given.shape}, but '{y.name}' has {y.shape}")


def _without_ones(tensor: Tensor) -> list[int] | None:
    known = tensor.shape
    return [size for size in known.as_list() if size != 1] if known.is_fully_defined() else None


@public("hessians")
def hessians(ys: Any, xs: Any, name: str = "hessians", colocate_gradients_with_ops: bool = False,
             gate_gradients: bool = False, aggregation_method: int | None = None) -> list[Tensor]:
    """The Hessian of the sum of ys for each x, of the shape of x twice: one gradient for each element.

    Each has the dtype of its x. As `tf.hessians`. Raises ValueError if no y depends on an x, UnimplementedError for an
    x of unknown shape.

    >>> x = gc.constant([1., 2.])
    >>> gc.hessians(x[0] * x[0] * x[1], x)[0].eval()
    array([[4., 2.],
           [2., 0.]], dtype=float32)
    """
    result = []
    for x in _listed(xs):
        x = convert_to_tensor(x)
        sizes = [s.value for s in x.shape] if x.shape.ndims is not None else [None]
        if None in sizes:
            raise UnimplementedError(f"hessians: argument 'xs': '{x.name}' must be of known shape, but has {x.shape}"
                                     f"{built_at(x.op)}\n  call set_shape on it", x.op)
        with get_default_graph().name_scope(name):
            first = gradients(ys, x, aggregation_method=aggregation_method)[0]
            if first is None:
                raise ValueError(f"hessians: no y depends on '{x.name}'{built_at(x.op)}")
            flat = reshape(first, [-1])
            rows = [gradients(flat[i], x, unconnected_gradients="zero")[0] for i in range(prod(sizes))]
            result.append(reshape(stack(rows), [*sizes, *sizes]) if rows else reshape(first, [*sizes, *sizes]))
    return result
