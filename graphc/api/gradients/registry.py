"""Gradients by name: what RegisterGradient and NotDifferentiable tell, and which of them an operation has.

A registered gradient is function(operation, *gradients of its outputs) -> those of its inputs. An operation has one if
it was made under `gradient_override_map`, or if its type is registered and graphc knows no gradient of it.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from graphc.api.array.fill import zeros_like
from graphc.api.public import public
from graphc.errors import built_at
from graphc.ir.op import OPS, Op
from graphc.ir.tensor import Operation, Tensor
from graphc.ir.user_frame import user_line

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)
_functions: dict[str, Function | None] = {}
_places: dict[str, tuple[str, int]] = {}


@public("RegisterGradient")
class RegisterGradient:
    """Decorator: the function is the gradient `op_type`, for `graph.gradient_override_map`.

    function(op, grad, ...) gets the Operation and the gradients of its outputs, and returns the gradient of its input,
    or a list with one for each (None: there is none). TypeError for a name that is no string. As `tf.RegisterGradient`.
    Raises KeyError if there is one of that name.

    >>> @gc.RegisterGradient("GuidedRelu")
    ... def guided(op, grad):
    ...     return gc.nn.relu(grad) * gc.cast(op.outputs[0] > 0., gc.float32)
    >>> x = gc.constant([-1., 1., 2.])
    >>> with gc.get_default_graph().gradient_override_map({"Relu": "GuidedRelu"}):
    ...     y = gc.nn.relu(x)
    >>> gc.gradients(y, x, grad_ys=[[1., -1., 5.]])[0].eval()
    array([0., 0., 5.], dtype=float32)
    """

    def __init__(self, op_type: str) -> None:
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        self._op_type = op_type

    def __call__(self, f: F) -> F:
        register(self._op_type, f)
        return f


@public("NotDifferentiable", "NoGradient", "no_gradient")
def not_differentiable(op_type: str) -> None:
    """Operations of this type have no gradients: `gradients` gives None through them. As `tf.NotDifferentiable`.

    Raises KeyError for a type that has a gradient. TypeError for a name that is no string.

    >>> gc.NotDifferentiable("Relu")
    Traceback (most recent call last):
        ...
    KeyError: "Registering two gradient with name 'Relu'! ...
    """
    if not isinstance(op_type, str):
        raise TypeError("op_type must be a string")
    register(op_type, None)


def register(name: str, function: Function | None) -> None:
    if name in _functions:
        file, line = _places[name]
        raise KeyError(f"Registering two gradient with name '{name}'! (Previous registration was in {file}:{line})")
    if name in OPS and OPS[name].grad is not Op.grad:
        raise KeyError(f"Registering two gradient with name '{name}'! (graphc has one; give operations another one "
                       f"with graph.gradient_override_map({{'{name}': 'YourName'}}))")
    _functions[name] = function
    _places[name] = user_line()


def name_of(operation: Operation) -> str | None:
    """The name under which the operation's gradient is registered; None: it is the op's own."""
    if operation.gradient_name is not None:
        return operation.gradient_name
    saved = operation.extra_attributes.get("_gradient_op_type")
    if saved is not None:
        return saved.s.decode()  # type: ignore[no-any-return]
    return operation.type if operation.type in _functions else None


def apply_registered(name: str, operation: Operation, dys: Sequence[Any]) -> Sequence[Any]:
    """What the gradient `name` gives for the operation's inputs. Raises LookupError if there is none of that name,
    ValueError for another number of gradients than inputs."""
    if name not in _functions:
        raise LookupError(f"No gradient defined for operation '{operation.name}' (op type: {operation.type}): no "
                          f"gradient is registered under the name '{name}'{built_at(operation)}\n  register it with "
                          f"gc.RegisterGradient('{name}')")
    function = _functions[name]
    if function is None:
        return [None] * len(operation.inputs)
    given = [zeros_like(y) if dy is None and (y.dtype.is_floating or y.dtype.is_complex) else dy
             for y, dy in zip(operation.outputs, dys, strict=True)]
    found = function(operation, *given)
    listed: Sequence[Any] = list(found) if isinstance(found, (list, tuple)) else [found]
    if len(listed) != len(operation.inputs):
        raise ValueError(f"Num gradients {len(listed)} generated for op {operation.type} '{operation.name}' do not "
                         f"match num inputs {len(operation.inputs)}{built_at(operation)}")
    return [_checked(dx, x, name, operation) for dx, x in zip(listed, operation.inputs, strict=True)]


def _checked(dx: Any, x: Tensor, name: str, operation: Operation) -> Any:
    if dx is None:
        return None
    from graphc.api.gradients.slices import IndexedSlices
    from graphc.ir.apply import convert_to_tensor

    made = dx if isinstance(dx, IndexedSlices) else convert_to_tensor(dx, None if isinstance(dx, Tensor) else x.dtype)
    if not made.shape.is_compatible_with(x.shape):
        raise ValueError(f"Incompatible shapes between op input and calculated input gradient. Forward operation: "
                         f"{operation.name}. Input shape: {x.shape}. Calculated input gradient shape: {made.shape}, by "
                         f"the gradient '{name}'{built_at(operation)}")
    return made
