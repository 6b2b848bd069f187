"""The densely connected layer."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.layers.base import Layer
from graphc.layers.input_spec import InputSpec
from graphc.layers.named import activation_of


@public("layers.Dense", "compat.v1.python.layers.core.Dense", "compat.v1.python.layers.core.FullyConnected")
class Dense(Layer):
    """activation(inputs @ kernel + bias) over the last axis, as `tf.layers.Dense`.

    Inputs: floats [..., features]; the result [..., units] has their dtype. Raises ValueError for a rank below 2, or an
    unknown last size; TypeError for integers, booleans and strings.

    >>> layer = gc.layers.Dense(3, kernel_initializer=gc.ones_initializer())
    >>> y = layer(gc.constant([[1., 2.]]))
    >>> gc.global_variables_initializer().run()
    >>> y.eval(), layer.kernel.shape.as_list()
    (array([[3., 3., 3.]], dtype=float32), [2, 3])
    """

    def __init__(self, units: int, activation: Any = None, use_bias: Any = True, kernel_initializer: Any = None,
                 bias_initializer: Any = "zeros", kernel_regularizer: Any = None, bias_regularizer: Any = None,
                 activity_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None,
                 trainable: bool = True, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(trainable, name, activity_regularizer=activity_regularizer, **kwargs)
        self.units = int(units)
        self.activation: Callable[[Any], Any] | None = activation_of(activation)
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        """Raises ValueError if the size of the last axis is not known, TypeError for a dtype that is not of floating
        point."""
        if self.dtype is not None and not (self.dtype.is_floating or self.dtype.is_complex):
            raise TypeError(f"Unable to build `Dense` layer with non-floating point dtype {self.dtype.name}")
        size = gc.TensorShape(input_shape)[-1].value
        if size is None:
            raise ValueError("The last dimension of the inputs to `Dense` should be defined. Found `None`.")
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})
        self.kernel = self.add_weight("kernel", [size, self.units], initializer=self.kernel_initializer,
                                      regularizer=self.kernel_regularizer, constraint=self.kernel_constraint)
        self.bias = self.add_weight("bias", [self.units], initializer=self.bias_initializer,
                                    regularizer=self.bias_regularizer,
                                    constraint=self.bias_constraint) if self.use_bias else None
        self.built = True

    def call(self, inputs: Any) -> Any:
        outputs = self._times_kernel(inputs)
        if self.bias is not None:
            outputs = gc.nn.bias_add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def _times_kernel(self, inputs: Any) -> Any:
        if isinstance(inputs, gc.SparseTensor):
            return gc.sparse_tensor_dense_matmul(inputs, self.kernel)
        rank = inputs.get_shape().ndims
        if rank == 2:
            return gc.matmul(inputs, self.kernel)
        outputs = gc.tensordot(inputs, self.kernel, [[rank - 1], [0]])
        outputs.set_shape(self.compute_output_shape(inputs.get_shape()))
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = gc.TensorShape(input_shape).with_rank_at_least(2)
        if shape[-1].value is None:
            raise ValueError(f"The innermost dimension of input_shape must be defined, but saw: {shape}")
        return shape[:-1].concatenate(self.units)


@public("layers.dense", "compat.v1.python.layers.core.dense", "compat.v1.python.layers.core.fully_connected")
def dense(inputs: Any, units: int, activation: Any = None, use_bias: bool = True, kernel_initializer: Any = None,
          bias_initializer: Any = "zeros", kernel_regularizer: Any = None, bias_regularizer: Any = None,
          activity_regularizer: Any = None, kernel_constraint: Any = None, bias_constraint: Any = None,
          trainable: bool = True, name: str | None = None, reuse: Any = None) -> Any:
    """activation(inputs @ kernel + bias) over the last axis, as `tf.layers.dense`.

    Inputs: floats [..., features]; the result [..., units] has their dtype. The variables are called kernel [features,
    units] and bias [units]. Raises ValueError for a rank below 2, an unknown last size, or an activation or initializer
    of a name that is not known; TypeError for integers, booleans and strings.

    >>> x = gc.placeholder(gc.float32, [None, 784])
    >>> hidden = gc.layers.dense(x, 128, activation=gc.nn.relu, name="hidden")
    >>> gc.layers.dense(hidden, 10, name="logits")
    <gc.Tensor 'logits/BiasAdd:0' shape=(?, 10) dtype=float32>
    >>> [v.op.name for v in gc.trainable_variables()]
    ['hidden/kernel', 'hidden/bias', 'logits/kernel', 'logits/bias']
    """
    layer = Dense(units, activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer,
                  bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, trainable, name,
                  _scope=name, _reuse=reuse)
    return layer(inputs)
