"""Bijector: a function with an inverse, and how much it stretches. As `tf.contrib.distributions.bijectors`.

Of x and y = forward(x), with J = dy/dx: forward_log_det_jacobian is log |det J| at x, inverse_log_det_jacobian that of
dx/dy at y, -log |det J|. Subclasses give `_forward`, `_inverse` and one of `_forward_log_det_jacobian` and
`_inverse_log_det_jacobian`, per event of their own least rank; over further axes of an event it is summed.
"""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from graphc.api.array.fill import zeros_like
from graphc.api.math.reduce import reduce_sum
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor, is_tensor_like
from graphc.ir.dtypes import as_dtype, int32
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import TensorShape, as_shape


@public("contrib.distributions.bijectors.Bijector")
class Bijector:
    """A function that has an inverse, of events of forward_min_event_ndims axes or more. Base of all of them.

    event_ndims: how many axes an event has where a call does not say so; as in TensorFlow 1.4, which knew it only here.
    is_constant_jacobian: the same for every x. What a class does not know raises NotImplementedError. As
    `tf.contrib.distributions.bijectors.Bijector`.

    >>> class Cube(gc.contrib.distributions.bijectors.Bijector):
    ...     def __init__(self):
    ...         super().__init__(forward_min_event_ndims=0)
    ...     def _forward(self, x):
    ...         return x ** 3
    ...     def _inverse(self, y):
    ...         return gc.pow(y, 1 / 3)
    ...     def _forward_log_det_jacobian(self, x):
    ...         return gc.log(3 * x ** 2)
    >>> cube = Cube()
    >>> cube.inverse(cube.forward(2.)).eval(), cube.inverse_log_det_jacobian(8., event_ndims=0).eval()
    (np.float32(2.0), np.float32(-2.4849))
    """

    def __init__(self, event_ndims: int | None = None, graph_parents: Any = None, is_constant_jacobian: bool = False,
                 validate_args: bool = False, dtype: Any = None, forward_min_event_ndims: int | None = None,
                 inverse_min_event_ndims: int | None = None, name: str | None = None) -> None:
        least = forward_min_event_ndims if forward_min_event_ndims is not None else inverse_min_event_ndims
        least = 0 if least is None else least
        self._forward_least = least
        self._inverse_least = least if inverse_min_event_ndims is None else inverse_min_event_ndims
        self._event_ndims = None if event_ndims is None else int(event_ndims)
        self._graph_parents, self._is_constant_jacobian = list(graph_parents or ()), is_constant_jacobian
        self._validate_args, self._dtype = validate_args, None if dtype is None else as_dtype(dtype)
        self._name = name or type(self).__name__.lower()
        # What was computed: there and back is exact. By graph, for what a branch computed cannot be had outside of it.
        self._images: dict[tuple[Any, Tensor], Tensor] = {}
        self._origins: dict[tuple[Any, Tensor], Tensor] = {}

    name = property(lambda self: self._name, doc="The name in front of those of the ops made.")
    dtype = property(lambda self: self._dtype, doc="The dtype of what it takes; None: any.")
    graph_parents = property(lambda self: self._graph_parents, doc="The tensors that it was made with.")
    validate_args = property(lambda self: self._validate_args, doc="Whether arguments are checked.")
    is_constant_jacobian = property(lambda self: self._is_constant_jacobian, doc="Whether it stretches all x alike.")
    event_ndims = property(lambda self: self._event_ndims, doc="The axes of an event, if that was said.")
    forward_min_event_ndims = property(lambda self: self._forward_least, doc="The least rank of an event it takes.")
    inverse_min_event_ndims = property(lambda self: self._inverse_least, doc="The least rank of an event it gives.")

    def forward(self, x: Any, name: str = "forward") -> Tensor:
        """y of x."""
        with self._scope(name):
            x, graph = self._tensor(x, "x"), get_default_graph()
            if (graph, x) not in self._images:
                self._note(x, self._forward(x))
            return self._images[graph, x]

    def inverse(self, y: Any, name: str = "inverse") -> Tensor:
        """x of y."""
        with self._scope(name):
            y, graph = self._tensor(y, "y"), get_default_graph()
            if (graph, y) not in self._origins:
                self._note(self._inverse(y), y)
            return self._origins[graph, y]

    def _note(self, x: Tensor, y: Tensor) -> None:
        graph = get_default_graph()
        self._images[graph, x], self._origins[graph, y] = y, x

    def forward_log_det_jacobian(self, x: Any, event_ndims: int | None = None,
                                 name: str = "forward_log_det_jacobian") -> Tensor:
        """log |det dy/dx| at x, of events of event_ndims axes."""
        with self._scope(name):
            x = self._tensor(x, "x")
            if _gives(self, "_forward_log_det_jacobian"):
                return self._summed(self._forward_log_det_jacobian(x), x, event_ndims, self._forward_least)
            y = self.forward(x)
            return -self._summed(self._inverse_log_det_jacobian(y), y, event_ndims, self._inverse_least)

    def inverse_log_det_jacobian(self, y: Any, event_ndims: int | None = None,
                                 name: str = "inverse_log_det_jacobian") -> Tensor:
        """log |det dx/dy| at y, of events of event_ndims axes."""
        with self._scope(name):
            y = self._tensor(y, "y")
            knows_x = (get_default_graph(), y) in self._origins and _gives(self, "_forward_log_det_jacobian")
            if _gives(self, "_inverse_log_det_jacobian") and not knows_x:
                return self._summed(self._inverse_log_det_jacobian(y), y, event_ndims, self._inverse_least)
            x = self.inverse(y)
            return -self._summed(self._forward_log_det_jacobian(x), x, event_ndims, self._forward_least)

    def forward_event_shape(self, input_shape: Any) -> TensorShape:
        """The shape of y's event, of that of x."""
        return self._forward_event_shape(as_shape(input_shape))

    def inverse_event_shape(self, output_shape: Any) -> TensorShape:
        """The shape of x's event, of that of y."""
        return self._inverse_event_shape(as_shape(output_shape))

    def forward_event_shape_tensor(self, input_shape: Any, name: str = "forward_event_shape_tensor") -> Tensor:
        """forward_event_shape of a shape that a run knows: int32."""
        with self._scope(name):
            return self._forward_event_shape_tensor(convert_to_tensor(input_shape, int32))

    # For subclasses

    def _forward(self, x: Tensor) -> Tensor:
        raise NotImplementedError(f"forward is not implemented: {type(self).__name__}")

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError(f"inverse is not implemented: {type(self).__name__}")

    def _forward_log_det_jacobian(self, x: Tensor) -> Tensor:
        raise NotImplementedError(f"forward_log_det_jacobian is not implemented: {type(self).__name__}")

    def _inverse_log_det_jacobian(self, y: Tensor) -> Tensor:
        raise NotImplementedError(f"inverse_log_det_jacobian is not implemented: {type(self).__name__}")

    def _forward_event_shape(self, known: TensorShape) -> TensorShape:
        return known

    def _inverse_event_shape(self, known: TensorShape) -> TensorShape:
        return known

    def _forward_event_shape_tensor(self, sizes: Tensor) -> Tensor:
        return sizes

    @contextmanager
    def _scope(self, name: str) -> Iterator[None]:
        with get_default_graph().name_scope(self.name), get_default_graph().name_scope(name):
            yield

    def _tensor(self, value: Any, name: str) -> Tensor:
        return convert_to_tensor(value, None if is_tensor_like(value) else self.dtype, name=name)

    def _summed(self, logs: Any, value: Tensor, event_ndims: int | None, least: int) -> Tensor:
        """logs, one for each least event in value, summed over the further axes of events."""
        count = next((n for n in (event_ndims, self._event_ndims) if n is not None), least)
        if count < least:
            raise ValueError(f"bijector {self.name}: event_ndims is {count}, but an event has {least} axes or more")
        logs = convert_to_tensor(logs, value.dtype)
        if count == least:
            return logs
        each = reduce_sum(zeros_like(value), list(range(-least, 0))) if least else zeros_like(value)
        return reduce_sum(logs + each, list(range(least - count, 0)))


def _gives(bijector: Bijector, method: str) -> bool:
    return getattr(type(bijector), method) is not getattr(Bijector, method)
