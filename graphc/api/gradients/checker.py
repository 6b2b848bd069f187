"""gc.test.compute_gradient: gradients by differentiation and by finite differences, as TF's gradient_checker."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphc.api.array.identity import identity
from graphc.api.array.source import constant
from graphc.api.gradients.gradients import gradients
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.graph import get_default_graph
from graphc.ir.stacks import get_default_session
from graphc.ir.tensor import Tensor

Jacobians = tuple[np.ndarray, np.ndarray]


@public("test.compute_gradient")
def compute_gradient(x: Any, x_shape: Any, y: Any, y_shape: Any, x_init_value: Any = None, delta: float = 1e-3,
                     init_targets: Any = None, extra_feed_dict: Mapping[Any, Any] | None = None) -> Any:
    """(Jacobian by gradients, Jacobian by differences), each of shape (size of x, size of y), in the default session.

    x: a tensor or a list of them, which gives a list of pairs; x_shape, y_shape: lists. x_init_value: where, random by
    default. delta: the width of the differences. init_targets: operations to run before. As
    `tf.test.compute_gradient`. Raises ValueError without a default session, for an x_init_value of another shape than
    x_shape, or if y does not depend on x; TypeError for an x or y that is not floating point.

    >>> x = gc.constant([1., 2.])
    >>> by_gradients, by_differences = gc.test.compute_gradient(x, [2], x * x, [2], x_init_value=np.array([1., 2.]))
    >>> by_gradients
    array([[2., 0.],
           [0., 4.]], dtype=float32)
    >>> np.allclose(by_gradients, by_differences, atol=0.01)
    True
    """
    session = get_default_session()
    if session is None:
        raise ValueError("compute_gradient: there is no default session; use `with gc.Session():`")
    if init_targets is not None:
        for target in init_targets if isinstance(init_targets, (list, tuple)) else [init_targets]:
            session.run(target)
    if not isinstance(x, list):
        return _of_one(session, x, x_shape, y, y_shape, x_init_value, delta, extra_feed_dict or {})
    values = [None] * len(x) if x_init_value is None else x_init_value
    return [_of_one(session, one, shape, y, y_shape, value, delta, extra_feed_dict or {})
            for one, shape, value in zip(x, x_shape, values, strict=True)]


@public("test.compute_gradient_error")
def compute_gradient_error(x: Any, x_shape: Any, y: Any, y_shape: Any, x_init_value: Any = None, delta: float = 1e-3,
                           init_targets: Any = None, extra_feed_dict: Mapping[Any, Any] | None = None) -> float:
    """The largest difference between the two Jacobians of `compute_gradient`; arguments as of that.

    A Python float. Errors as there. As `tf.test.compute_gradient_error`.

    >>> x = gc.constant([1., 2.])
    >>> gc.test.compute_gradient_error(x, [2], gc.tanh(x), [2], x_init_value=np.array([1., 2.])) < 1e-3
    True
    """
    found = compute_gradient(x, x_shape, y, y_shape, x_init_value, delta, init_targets, extra_feed_dict)
    return max(float(np.max(np.abs(a - b), initial=0.0)) for a, b in (found if isinstance(x, list) else [found]))


def _of_one(session: Any, x: Tensor, x_shape: Any, y: Tensor, y_shape: Any, start: Any, delta: float,
            feeds: Mapping[Any, Any]) -> Jacobians:
    for tensor, label in ((x, "x"), (y, "y")):
        if not tensor.dtype.is_floating:
            raise TypeError(f"argument '{label}' must be floating point, but '{tensor.name}' is {tensor.dtype.name}")
    shapes = [np.atleast_1d(np.asarray(s, np.int64)).tolist() for s in (x_shape, y_shape)]
    given = np.random.random_sample(shapes[0]) if start is None else np.asarray(start)
    if start is not None and list(given.shape) != shapes[0]:
        raise ValueError(f"argument 'x_init_value' has shape {list(given.shape)}, but x_shape is {shapes[0]}")
    at = given.astype(x.dtype.as_numpy_dtype)
    with get_default_graph().as_default():
        arriving = constant(1.0, y.dtype, shapes[1])
        found = gradients(y, x, identity(arriving))[0]
        if found is None:
            raise ValueError(f"compute_gradient: '{y.name}' does not depend on '{x.name}'")
        slope = convert_to_tensor(found)
    return (_by_gradients(session, x, slope, arriving, at, shapes[1], feeds),
            _by_differences(session, x, y, at, shapes[1], delta, feeds))


def _by_gradients(session: Any, x: Tensor, slope: Tensor, arriving: Tensor, at: np.ndarray, y_shape: Sequence[int],
                  feeds: Mapping[Any, Any]) -> np.ndarray:
    size = int(np.prod(y_shape, dtype=np.int64))
    jacobian = np.zeros((at.size, size), at.dtype)
    for column in range(size):
        one = np.zeros(size, arriving.dtype.as_numpy_dtype)
        one[column] = 1
        jacobian[:, column] = session.run(slope, {**feeds, x: at, arriving: one.reshape(y_shape)}).ravel()
    return jacobian


def _by_differences(session: Any, x: Tensor, y: Tensor, at: np.ndarray, y_shape: Sequence[int], delta: float,
                    feeds: Mapping[Any, Any]) -> np.ndarray:
    jacobian = np.zeros((at.size, int(np.prod(y_shape, dtype=np.int64))), at.dtype)
    for row in range(at.size):
        ahead, behind = at.copy(), at.copy()
        ahead.ravel()[row] += delta
        behind.ravel()[row] -= delta
        values = [np.asarray(session.run(y, {**feeds, x: moved}), np.float64).ravel() for moved in (ahead, behind)]
        jacobian[row] = (values[0] - values[1]) / (2 * delta)
    return jacobian
