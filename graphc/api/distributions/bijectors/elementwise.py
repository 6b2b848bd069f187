"""Bijectors that take each number by itself: Identity, Exp, Softplus, Sigmoid, PowerTransform, AffineScalar, Inline."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphc.api.array.fill import zeros_like
from graphc.api.distributions.base import parameters_of
from graphc.api.distributions.bijectors.base import Bijector
from graphc.api.math.unary import abs, exp, expm1, log, log1p
from graphc.api.nn.activations import sigmoid, softplus
from graphc.api.public import public
from graphc.ir.tensor import Tensor


@public("contrib.distributions.bijectors.Identity")
class Identity(Bijector):
    """y = x. As `tf.contrib.distributions.bijectors.Identity`.

    >>> gc.contrib.distributions.bijectors.Identity().forward([1., 2.]).eval()
    array([1., 2.], dtype=float32)
    """

    def __init__(self, validate_args: bool = False, event_ndims: int | None = None, name: str = "identity") -> None:
        super().__init__(event_ndims, None, True, validate_args, forward_min_event_ndims=0, name=name)

    def _forward(self, x: Tensor) -> Tensor:
        return x

    def _inverse(self, y: Tensor) -> Tensor:
        return y

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return zeros_like(x)


@public("contrib.distributions.bijectors.Exp")
class Exp(Bijector):
    """y = exp(x). As `tf.contrib.distributions.bijectors.Exp`.

    >>> exponential = gc.contrib.distributions.bijectors.Exp()
    >>> exponential.forward([0., 1.]).eval(), exponential.inverse_log_det_jacobian([1., 2.], event_ndims=1).eval()
    (array([1.    , 2.7183], dtype=float32), np.float32(-0.6931))
    """

    def __init__(self, event_ndims: int | None = None, validate_args: bool = False, name: str = "exp") -> None:
        super().__init__(event_ndims, validate_args=validate_args, forward_min_event_ndims=0, name=name)

    def _forward(self, x: Tensor) -> Tensor:
        return exp(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return log(y)

    def _inverse_log_det_jacobian(self, y: Tensor) -> Tensor:
        return -log(y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return x


@public("contrib.distributions.bijectors.Softplus")
class Softplus(Bijector):
    """y = c log(1 + exp(x / c)), for c = hinge_softness, 1 by default. As
    `tf.contrib.distributions.bijectors.Softplus`.

    >>> softplus = gc.contrib.distributions.bijectors.Softplus()
    >>> softplus.forward([-100., 0., 100.]).eval(), softplus.inverse([1., 50.]).eval()
    (array([  0.    ,   0.6931, 100.    ], dtype=float32), array([ 0.5413, 50.    ], dtype=float32))
    """

    def __init__(self, event_ndims: int | None = None, hinge_softness: Any = None, validate_args: bool = False,
                 name: str = "softplus") -> None:
        self._softness = None if hinge_softness is None else parameters_of(hinge_softness=hinge_softness)[0]
        super().__init__(event_ndims, validate_args=validate_args, forward_min_event_ndims=0, name=name)

    hinge_softness = property(lambda self: self._softness, doc="c; None: 1.")

    def _forward(self, x: Tensor) -> Tensor:
        c = self._softness
        made: Tensor = softplus(x) if c is None else c * softplus(x / c)
        return made

    def _inverse(self, y: Tensor) -> Tensor:
        c = self._softness
        z = y if c is None else y / c
        x = z + log(-expm1(-z))
        made: Tensor = x if c is None else c * x
        return made

    def _inverse_log_det_jacobian(self, y: Tensor) -> Tensor:
        return -log(-expm1(-(y if self._softness is None else y / self._softness)))

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return -softplus(-(x if self._softness is None else x / self._softness))


@public("contrib.distributions.bijectors.Sigmoid")
class Sigmoid(Bijector):
    """y = 1 / (1 + exp(-x)). As `tf.contrib.distributions.bijectors.Sigmoid`.

    >>> gc.contrib.distributions.bijectors.Sigmoid().inverse([0.5, 0.75]).eval()
    array([0.    , 1.0986], dtype=float32)
    """

    def __init__(self, validate_args: bool = False, name: str = "sigmoid") -> None:
        super().__init__(validate_args=validate_args, forward_min_event_ndims=0, name=name)

    def _forward(self, x: Tensor) -> Tensor:
        return sigmoid(x)

    def _inverse(self, y: Tensor) -> Tensor:
        made: Tensor = log(y) - log1p(-y)
        return made

    def _inverse_log_det_jacobian(self, y: Tensor) -> Tensor:
        return -log(y) - log1p(-y)

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return -softplus(-x) - softplus(x)


@public("contrib.distributions.bijectors.PowerTransform")
class PowerTransform(Bijector):
    """y = (1 + x power) ^ (1 / power), for x above -1 / power; exp(x) for power 0. As
    `tf.contrib.distributions.bijectors.PowerTransform`. Raises ValueError for a negative power.

    >>> root = gc.contrib.distributions.bijectors.PowerTransform(power=2.)
    >>> root.forward([0., 4.]).eval(), root.inverse([1., 3.]).eval()
    (array([1., 3.], dtype=float32), array([0., 4.], dtype=float32))
    """

    def __init__(self, power: float = 0.0, event_ndims: int | None = None, validate_args: bool = False,
                 name: str = "power_transform") -> None:
        if power < 0:
            raise ValueError(f"PowerTransform: power must not be negative, but is {power}")
        self._power = float(power)
        super().__init__(event_ndims, validate_args=validate_args, forward_min_event_ndims=0, name=name)

    power = property(lambda self: self._power, doc="Which power y is taken to.")

    def _forward(self, x: Tensor) -> Tensor:
        return exp(x) if not self._power else exp(log1p(x * self._power) / self._power)

    def _inverse(self, y: Tensor) -> Tensor:
        made: Tensor = log(y) if not self._power else expm1(log(y) * self._power) / self._power
        return made

    def _inverse_log_det_jacobian(self, y: Tensor) -> Tensor:
        made: Tensor = (self._power - 1.0) * log(y)
        return made

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        made: Tensor = x if not self._power else (1.0 / self._power - 1.0) * log1p(x * self._power)
        return made


@public("contrib.distributions.bijectors.AffineScalar")
class AffineScalar(Bijector):
    """y = scale x + shift, number by number. As `tf.contrib.distributions.bijectors.AffineScalar`.

    shift, scale: floats that broadcast with x; 0 and 1 by default.

    >>> line = gc.contrib.distributions.bijectors.AffineScalar(shift=1., scale=[2., 4.])
    >>> line.forward([1., 1.]).eval(), line.forward_log_det_jacobian([1., 1.], event_ndims=1).eval()
    (array([3., 5.], dtype=float32), np.float32(2.0794))
    """

    def __init__(self, shift: Any = None, scale: Any = None, validate_args: bool = False,
                 name: str = "affine_scalar") -> None:
        given = {k: v for k, v in (("shift", shift), ("scale", scale)) if v is not None}
        made = dict(zip(given, parameters_of(**given), strict=True)) if given else {}
        self._shift, self._scale = made.get("shift"), made.get("scale")
        super().__init__(None, list(made.values()), True, validate_args, forward_min_event_ndims=0, name=name)

    shift = property(lambda self: self._shift, doc="What is added; None: nothing.")
    scale = property(lambda self: self._scale, doc="What x is multiplied by; None: 1.")

    def _forward(self, x: Tensor) -> Tensor:
        y = x if self._scale is None else x * self._scale
        return y if self._shift is None else y + self._shift

    def _inverse(self, y: Tensor) -> Tensor:
        x = y if self._shift is None else y - self._shift
        return x if self._scale is None else x / self._scale

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        return zeros_like(x) if self._scale is None else log(abs(self._scale)) + zeros_like(x)


@public("contrib.distributions.bijectors.Inline")
class Inline(Bijector):
    """Made of functions. As `tf.contrib.distributions.bijectors.Inline`.

    Each takes and gives a tensor. One that is not given raises NotImplementedError where it is needed.

    >>> twice = gc.contrib.distributions.bijectors.Inline(lambda x: 2. * x, lambda y: y / 2.)
    >>> twice.inverse([2., 4.]).eval()
    array([1., 2.], dtype=float32)
    """

    def __init__(self, forward_fn: Callable[..., Any] | None = None, inverse_fn: Callable[..., Any] | None = None,
                 inverse_log_det_jacobian_fn: Callable[..., Any] | None = None,
                 forward_log_det_jacobian_fn: Callable[..., Any] | None = None,
                 forward_event_shape_fn: Callable[..., Any] | None = None,
                 forward_event_shape_tensor_fn: Callable[..., Any] | None = None,
                 inverse_event_shape_fn: Callable[..., Any] | None = None,
                 inverse_event_shape_tensor_fn: Callable[..., Any] | None = None, is_constant_jacobian: bool = False,
                 validate_args: bool = False, forward_min_event_ndims: int | None = None,
                 inverse_min_event_ndims: int | None = None, name: str = "inline") -> None:
        given = {"_forward": forward_fn, "_inverse": inverse_fn, "_forward_event_shape": forward_event_shape_fn,
                 "_inverse_event_shape": inverse_event_shape_fn,
                 "_forward_event_shape_tensor": forward_event_shape_tensor_fn}
        self._forward_logs, self._inverse_logs = forward_log_det_jacobian_fn, inverse_log_det_jacobian_fn
        super().__init__(None, None, is_constant_jacobian, validate_args, None, forward_min_event_ndims,
                         inverse_min_event_ndims, name)
        for method, function in given.items():
            if function is not None:
                setattr(self, method, function)

    def _forward_log_det_jacobian(self, x: Tensor) -> Any:
        if self._forward_logs is not None:
            return self._forward_logs(x)
        if self._inverse_logs is None:
            raise NotImplementedError("log_det_jacobian is not implemented: Inline; give forward_log_det_jacobian_fn "
                                      "or inverse_log_det_jacobian_fn")
        return -self._inverse_logs(self.forward(x))

    def _inverse_log_det_jacobian(self, y: Tensor) -> Any:
        return self._inverse_logs(y) if self._inverse_logs is not None else \
            -self._forward_log_det_jacobian(self.inverse(y))
