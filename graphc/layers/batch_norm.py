"""Batch normalisation: the layer, its variables, and the choice between the fused computation and the general one."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.layers.base import Layer
from graphc.layers.batch_norm_steps import Steps
from graphc.layers.input_spec import InputSpec
from graphc.layers.named import initializer_of

_CLIPPINGS = ("rmax", "rmin", "dmax")


@public("layers.BatchNormalization", "compat.v1.python.layers.normalization.BatchNormalization",
        "compat.v1.python.layers.normalization.BatchNorm")
class BatchNormalization(Steps, Layer):
    """(inputs - mean) / sqrt(variance + epsilon) * gamma + beta, with mean and variance of the batch in training and
    with their moving averages otherwise. As `tf.layers.BatchNormalization`.

    axis: the axis of the channels, or several. momentum: the part of a moving average that an update keeps. The updates
    stand in the collection UPDATE_OPS, and nothing runs them but the user. renorm: batch renormalisation, with
    renorm_clipping {"rmin", "rmax", "dmax"} and renorm_momentum. virtual_batch_size: that many examples are normalised
    together. adjustment: function of the inputs' shape that gives a scale and a bias applied after normalising, in
    training. fused: True asks for the fused computation, which divides the moving variance by N - 1; by default it is
    taken for inputs of four axes where none of these three is asked for. Inputs and result: floats of one shape and
    dtype; the variables of float16 and bfloat16 are float32. Raises ValueError for axes that do not exist, are repeated
    or of unknown size, other keys of renorm_clipping, and a virtual_batch_size that is not positive; TypeError for an
    axis that is not an int or list, and for integers, booleans and strings.

    >>> layer = gc.layers.BatchNormalization()
    >>> y = layer(gc.constant([[1., 10.], [3., 30.]]), training=True)
    >>> gc.global_variables_initializer().run()
    >>> y.eval()
    array([[-0.9995, -1.    ],
           [ 0.9995,  1.    ]], dtype=float32)
    >>> [v.op.name.split("/")[1] for v in layer.variables]
    ['gamma', 'beta', 'moving_mean', 'moving_variance']
    """

    def __init__(self, axis: Any = -1, momentum: Any = 0.99, epsilon: float = 1e-3, center: bool = True,
                 scale: bool = True, beta_initializer: Any = "zeros", gamma_initializer: Any = "ones",
                 moving_mean_initializer: Any = "zeros", moving_variance_initializer: Any = "ones",
                 beta_regularizer: Any = None, gamma_regularizer: Any = None, beta_constraint: Any = None,
                 gamma_constraint: Any = None, renorm: bool = False, renorm_clipping: dict[str, Any] | None = None,
                 renorm_momentum: Any = 0.99, fused: bool | None = None, trainable: bool = True,
                 virtual_batch_size: int | None = None, adjustment: Callable[[Any], tuple[Any, Any]] | None = None,
                 name: Any = None, **kwargs: Any) -> None:
        super().__init__(trainable, name, **kwargs)
        if not isinstance(axis, (int, list, tuple)):
            raise TypeError(f"axis must be int or list, type given: {type(axis).__name__}")
        unknown = set(renorm_clipping or {}) - set(_CLIPPINGS)
        if renorm and unknown:
            raise ValueError(f"renorm_clipping {renorm_clipping} contains keys not in {list(_CLIPPINGS)}")
        self.axis: Any = axis if isinstance(axis, int) else list(axis)
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = beta_initializer
        self.gamma_initializer = gamma_initializer
        self.moving_mean_initializer = moving_mean_initializer
        self.moving_variance_initializer = moving_variance_initializer
        self.beta_regularizer = beta_regularizer
        self.gamma_regularizer = gamma_regularizer
        self.beta_constraint = beta_constraint
        self.gamma_constraint = gamma_constraint
        self.renorm = renorm
        self.renorm_clipping = renorm_clipping or {}
        self.renorm_momentum = renorm_momentum
        self.fused: Any = fused is None or fused
        self.virtual_batch_size = virtual_batch_size
        self.adjustment = adjustment

    # Variables

    def build(self, input_shape: Any) -> None:
        """Raises ValueError for axes that do not exist or whose size is not known."""
        shape = gc.TensorShape(input_shape)
        if not shape.ndims:
            raise ValueError(f"Input has undefined rank: {shape}")
        rank, sizes = shape.ndims, shape.as_list()
        self.axis = self._axes_of(rank)
        self._check_virtual_batches()
        if any(sizes[a] is None for a in self.axis):
            raise ValueError(f"Input has undefined `axis` dimension. Input shape: {shape}")
        self.input_spec = InputSpec(ndim=rank, axes={a: sizes[a] for a in self.axis})
        self.fused = self.fused and rank == 4 and self.axis in ([1], [3]) and not (
            self.renorm or self.adjustment is not None or self.virtual_batch_size is not None)
        if len(self.axis) == 1 and self.virtual_batch_size is None:
            parameters = [sizes[self.axis[0]]]
        else:
            parameters = [sizes[a] if a in self.axis else 1 for a in range(rank)]
            if self.virtual_batch_size is not None:
                parameters.insert(1, 1)                     # the batch becomes two axes
                self.axis = [a + 1 for a in self.axis]
        self._make_variables(parameters)
        self.built = True

    def _axes_of(self, rank: int) -> list[int]:
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        axes = [rank + a if a < 0 else a for a in axes]
        for axis in axes:
            if not 0 <= axis < rank:
                raise ValueError(f"Invalid axis: {axis} for inputs of rank {rank} (layer {self.name})")
        if len(axes) != len(set(axes)):
            raise ValueError(f"Duplicate axis: {axes}")
        return axes

    def _check_virtual_batches(self) -> None:
        if self.virtual_batch_size is None:
            return
        if self.virtual_batch_size <= 0:
            raise ValueError("virtual_batch_size must be a positive integer that divides the true batch size of the "
                             f"input Tensor, but is {self.virtual_batch_size}")
        if 0 in self.axis:
            raise ValueError("When using virtual_batch_size, the batch dimension must be 0 and thus axis cannot "
                             "include 0")
        if self.adjustment is not None:
            raise ValueError("When using virtual_batch_size, adjustment cannot be specified")

    @property
    def _parameter_dtype(self) -> Any:
        """Half precision is too coarse for averages."""
        return gc.float32 if self.dtype in (None, gc.float16, gc.bfloat16) else self.dtype

    def _make_variables(self, shape: list[int]) -> None:
        dtype = self._parameter_dtype
        self.gamma = self.add_weight("gamma", shape, dtype, self.gamma_initializer, self.gamma_regularizer,
                                     constraint=self.gamma_constraint) if self.scale else None
        self.beta = self.add_weight("beta", shape, dtype, self.beta_initializer, self.beta_regularizer,
                                    constraint=self.beta_constraint) if self.center else None
        self.moving_mean = self._average("moving_mean", shape, self.moving_mean_initializer)
        self.moving_variance = self._average("moving_variance", shape, self.moving_variance_initializer)
        if self.renorm:
            deviation = _root_of(self.moving_variance_initializer)
            self.moving_stddev = self._average("moving_stddev", shape, deviation)
            self.renorm_mean = self._average("renorm_mean", shape, self.moving_mean_initializer)
            self.renorm_stddev = self._average("renorm_stddev", shape, deviation)

    def _average(self, name: str, shape: list[int], initializer: Any) -> Any:
        self._set_scope()
        with in_one_piece(self._scope):
            return self.add_weight(name, shape, self._parameter_dtype, initializer, trainable=False)

    # Computing

    def call(self, inputs: Any, training: Any = False) -> Any:
        if self.fused:
            return self._fused(inputs, training)
        if self.virtual_batch_size is None:
            return self._general(inputs, training)
        sizes = inputs.get_shape().as_list()
        rest = [gc.shape(inputs)[i] if size is None else size for i, size in enumerate(sizes)][1:]
        batches = gc.reshape(inputs, [self.virtual_batch_size, -1, *rest])
        outputs = gc.reshape(self._general(batches, training), [-1, *rest])
        outputs.set_shape(inputs.get_shape())
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


@contextmanager
def in_one_piece(scope: Any) -> Iterator[None]:
    """No partitioner of the scope: updates of averages take whole variables."""
    partitioner = scope.partitioner
    if partitioner is None:
        yield
        return
    scope.set_partitioner(None)
    try:
        yield
    finally:
        scope.set_partitioner(partitioner)


def _root_of(initializer: Any) -> Callable[..., Any]:
    """The initialiser of a standard deviation, from the variance's."""
    made = initializer_of(initializer)
    return lambda *args, **kwargs: gc.sqrt(made(*args, **kwargs))


@public("layers.batch_normalization", "compat.v1.python.layers.normalization.batch_normalization",
        "compat.v1.python.layers.normalization.batch_norm")
def batch_normalization(inputs: Any, axis: Any = -1, momentum: Any = 0.99, epsilon: float = 1e-3, center: bool = True,
                        scale: bool = True, beta_initializer: Any = "zeros", gamma_initializer: Any = "ones",
                        moving_mean_initializer: Any = "zeros", moving_variance_initializer: Any = "ones",
                        beta_regularizer: Any = None, gamma_regularizer: Any = None, beta_constraint: Any = None,
                        gamma_constraint: Any = None, training: Any = False, trainable: bool = True,
                        name: str | None = None, reuse: Any = None, renorm: bool = False,
                        renorm_clipping: dict[str, Any] | None = None, renorm_momentum: Any = 0.99,
                        fused: bool | None = None, virtual_batch_size: int | None = None,
                        adjustment: Callable[[Any], tuple[Any, Any]] | None = None) -> Any:
    """(inputs - mean) / sqrt(variance + epsilon) * gamma + beta, as `tf.layers.batch_normalization`: with mean and
    variance of the batch if `training` (a bool, or a tensor of one), else with their moving averages.

    The train op must run the collection UPDATE_OPS, which keeps the averages up to date. Inputs and result: floats of
    one shape and dtype. Raises ValueError for axes that do not exist, are repeated or of unknown size; TypeError for
    integers, booleans and strings, and for a `training` that is no bool, 0 or 1.

    >>> x = gc.placeholder(gc.float32, [None, 2])
    >>> y = gc.layers.batch_normalization(x, training=True)
    >>> gc.global_variables_initializer().run()
    >>> with gc.control_dependencies(gc.get_collection(gc.GraphKeys.UPDATE_OPS)):
    ...     train = gc.identity(y)
    >>> train.eval({x: [[1., 10.], [3., 30.]]})
    array([[-0.9995, -1.    ],
           [ 0.9995,  1.    ]], dtype=float32)
    >>> [v.eval() for v in gc.global_variables() if "moving_mean" in v.name]
    [array([0.02, 0.2 ], dtype=float32)]
    """
    layer = BatchNormalization(
        axis, momentum, epsilon, center, scale, beta_initializer, gamma_initializer, moving_mean_initializer,
        moving_variance_initializer, beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint, renorm,
        renorm_clipping, renorm_momentum, fused, trainable, virtual_batch_size, adjustment, name, _scope=name,
        _reuse=reuse)
    return layer(inputs, training=training)
