"""custom_gradient: a function with a gradient of the user's own."""
from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable
from typing import Any

from graphc.api.gradients.registry import register
from graphc.api.public import given_by, public
from graphc.api.state.variables import Variable
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.graph import Graph, get_default_graph
from graphc.ir.nest import flatten, pack_sequence_as
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor

_numbers = itertools.count()


@public("custom_gradient")
def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: f(*tensors) returns (results, grad_fn), and grad_fn(*gradients of the results) gives those of the
    tensors.

    If f uses variables, grad_fn must have a keyword argument `variables`: it is called with their list and returns two
    lists, gradients of the tensors and of the variables. Keyword arguments of f are passed on as they are. The call
    raises TypeError if f uses variables and grad_fn takes none; `gc.gradients` raises ValueError for another number of
    gradients than tensors. As `tf.custom_gradient`.

    >>> @gc.custom_gradient
    ... def clipped_backwards(x):
    ...     return gc.identity(x), lambda dy: gc.clip_by_value(dy, -1., 1.)
    >>> x = gc.constant([1., 2.])
    >>> gc.gradients(clipped_backwards(x) * [0.5, 100.], x)[0].eval()
    array([0.5, 1. ], dtype=float32)
    """
    @functools.wraps(f)
    @given_by("gc.custom_gradient")
    def with_own_gradient(*args: Any, **kwargs: Any) -> Any:
        _check_call(f, args, kwargs)
        return _built(f, args, kwargs)

    return with_own_gradient


def _check_call(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raises TypeError if the user's function does not take such arguments."""
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):             # of a function of C's
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"argument 'f' ({getattr(f, '__qualname__', f)}{signature}) does not take what it is called "
                        f"with: {error}") from None


@public("grad_pass_through")
def grad_pass_through(f: Callable[..., Any]) -> Callable[..., Any]:
    """f, through which gradients pass as through an identity: rounding that can be trained. As `tf.grad_pass_through`.

    f takes tensors and gives as many of the same shapes and dtypes; for other shapes `gc.gradients` raises ValueError.

    >>> x = gc.constant([1.2, 2.7])
    >>> y = gc.grad_pass_through(gc.round)(x)
    >>> y.eval(), gc.gradients(y, x)[0].eval()
    (array([1., 3.], dtype=float32), array([1., 1.], dtype=float32))
    """
    @functools.wraps(f)
    @given_by("gc.grad_pass_through")
    def passing(*args: Any, **kwargs: Any) -> Any:
        _check_call(f, args, kwargs)

        @custom_gradient
        def with_identity(*tensors: Any) -> Any:
            def gradient(*dys: Any, variables: Any = None) -> Any:
                return dys if variables is None else (dys, [None] * len(variables))

            return f(*tensors, **kwargs), gradient

        return with_identity(*args)

    return passing


@public("recompute_grad")
def recompute_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """f itself: what is kept for the gradient is the compiler's concern. As `tf.recompute_grad` in its results.

    >>> x = gc.constant(3.)
    >>> gc.gradients(gc.recompute_grad(gc.square)(x), x)[0].eval()
    np.float32(6.0)
    """
    return f


def _built(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    inputs = [convert_to_tensor(x) for x in args]
    graph = get_default_graph()
    first = graph.version
    results, grad_fn = f(*inputs, **kwargs)
    flat = [convert_to_tensor(y) for y in flatten(results)]
    variables = _variables_used(graph, first, inputs)
    accepts = inspect.getfullargspec(grad_fn)
    named = "variables" in (*accepts.args, *accepts.kwonlyargs) or accepts.varkw is not None
    if variables and not named:
        raise TypeError("If using @custom_gradient with a function that uses variables, then grad_fn must accept a "
                        f"'variables' keyword argument (it uses {[v.name for v in variables]})")

    def gradient(operation: Any, *dys: Any) -> list[Any]:
        given = dys[:len(flat)]
        if variables:
            of_inputs, of_variables = grad_fn(*given, variables=variables)
        else:
            of_inputs, of_variables = grad_fn(*given), []
        listed, more = _listed(of_inputs), _listed(of_variables)
        if len(listed) != len(inputs):
            raise ValueError(f"custom_gradient function expected to return {len(inputs)} gradients but returned "
                             f"{len(listed)} instead.")
        if len(more) != len(variables):
            raise ValueError(f"Must return gradient for each variable from @custom_gradient grad_fn: {len(variables)} "
                             f"variables, {len(more)} gradients")
        return [*[None] * len(flat), *listed, *more]

    name = f"CustomGradient-{next(_numbers)}"
    register(name, gradient)
    passed = [*flat, *inputs, *(v.value() for v in variables)]
    with graph.gradient_override_map({"IdentityN": name}):
        made = apply(OPS["IdentityN"], passed, T=tuple(t.dtype for t in passed))
    return pack_sequence_as(results, list(made)[:len(flat)])


def _listed(gradients: Any) -> list[Any]:
    return list(gradients) if isinstance(gradients, (list, tuple)) else [] if gradients is None else [gradients]


def _variables_used(graph: Graph, first: int, inputs: list[Tensor]) -> list[Variable]:
    """The trainable variables that operations made since `first` read, in the order of their use."""
    by_tensor = {t: v for v in graph.get_collection("trainable_variables") for t in (v._ref(), v.value())}
    own = {t for t in inputs if t in by_tensor}
    found: dict[Variable, None] = {}
    for operation in graph.get_operations()[first:]:
        for tensor in operation.inputs:
            outer = _outer(graph, tensor)
            if outer in by_tensor and outer not in own:
                found.setdefault(by_tensor[outer])
    return list(found)


def _outer(graph: Any, tensor: Tensor) -> Tensor:
    """What a body's captured input stands for in the outermost graph."""
    while hasattr(graph, "captures"):
        tensor = next((t for t, inner in graph.captures.items() if inner is tensor), tensor)
        graph = graph.outer_graph
    return tensor
