"""Keras' plain recurrent cell, whose state is a list of one tensor."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.layers.named import activation_of, constraint_of, initializer_of, regularizer_of
from graphc.layers.unnamed import numbered_as_keras_does
from graphc.rnn.matrix_cell import MatrixCell


@public("compat.v1.keras.layers.SimpleRNNCell")
class SimpleRNNCell(MatrixCell):
    """output = state = activation(kernel * inputs + bias + recurrent_kernel * state), as
    `tf.keras.layers.SimpleRNNCell`: cell(inputs, [state]) gives (output, [output]). A state that is no list, as
    gc.nn.dynamic_rnn has it, gives one that is none.

    dropout, recurrent_dropout: which shares of inputs and state are left out when `training` says so, the same ones in
    each call until reset_dropout_mask and reset_recurrent_dropout_mask. Inputs are floats [batch, n], the state is
    [batch, units]. Raises ValueError for other inputs and for an unknown activation.

    >>> cell = gc.compat.v1.keras.layers.SimpleRNNCell(2, kernel_initializer="ones", recurrent_initializer="ones")
    >>> output, [state] = cell(gc.constant([[0.1, 0.2]]), [gc.zeros([1, 2])])
    >>> gc.global_variables_initializer().run()
    >>> output.eval()                            # tanh(0.3)
    array([[0.2913, 0.2913]], dtype=float32)
    """

    def __init__(self, units: int, activation: Any = "tanh", use_bias: bool = True,
                 kernel_initializer: Any = "glorot_uniform", recurrent_initializer: Any = "orthogonal",
                 bias_initializer: Any = "zeros", kernel_regularizer: Any = None, recurrent_regularizer: Any = None,
                 bias_regularizer: Any = None, kernel_constraint: Any = None, recurrent_constraint: Any = None,
                 bias_constraint: Any = None, dropout: float = 0.0, recurrent_dropout: float = 0.0,
                 name: str | None = None, trainable: bool = True, dtype: Any = None, **more: Any) -> None:
        super().__init__(trainable, name or numbered_as_keras_does("simple_rnn_cell"), dtype, **more)
        self.units, self.use_bias, self.activation = int(units), use_bias, activation_of(activation)
        self._weights = {
            "kernel": (kernel_initializer, kernel_regularizer, kernel_constraint),
            "recurrent_kernel": (recurrent_initializer, recurrent_regularizer, recurrent_constraint),
            "bias": (bias_initializer, bias_regularizer, bias_constraint)}
        self.dropout, self.recurrent_dropout = (min(1.0, max(0.0, rate)) for rate in (dropout, recurrent_dropout))
        self._masks: dict[str, Any] = {}

    state_size = property(lambda self: self.units, doc="units.")
    output_size = property(lambda self: self.units, doc="units.")

    def build(self, inputs_shape: Any) -> None:
        self.kernel = self._weight("kernel", [self.depth_of(inputs_shape), self.units])
        self.recurrent_kernel = self._weight("recurrent_kernel", [self.units, self.units])
        self.bias = self._weight("bias", [self.units]) if self.use_bias else None

    def _weight(self, name: str, shape: list[int]) -> Any:
        initializer, regularizer, constraint = self._weights[name]
        return self.add_weight(name, shape, initializer=initializer_of(initializer),
                               regularizer=regularizer_of(regularizer), constraint=constraint_of(constraint))

    def __call__(self, inputs: Any, states: Any, training: Any = None) -> tuple[Any, Any]:
        self._training = training
        return super().__call__(inputs, states)

    def call(self, inputs: Any, states: Any) -> tuple[Any, Any]:
        listed = isinstance(states, (list, tuple))
        state = gc.convert_to_tensor(states[0] if listed else states)
        output = gc.matmul(self._masked("inputs", inputs, self.dropout), self.kernel)
        if self.bias is not None:
            output = gc.nn.bias_add(output, self.bias)
        output = output + gc.matmul(self._masked("state", state, self.recurrent_dropout), self.recurrent_kernel)
        if self.activation is not None:
            output = self.activation(output)
        return output, [output] if listed else output

    def _masked(self, what: str, x: Any, rate: float) -> Any:
        """x without the share that is left out, if the cell is trained."""
        if not rate or self._training is None:
            return x

        def dropped() -> Any:
            if what not in self._masks:
                self._masks[what] = gc.nn.dropout(gc.ones_like(x), rate=rate)
            return x * self._masks[what]

        if isinstance(self._training, (gc.Tensor, gc.Variable)):
            if what not in self._masks:                       # outside of the branch, for calls to come
                self._masks[what] = gc.nn.dropout(gc.ones_like(x), rate=rate)
            return gc.cond(gc.cast(self._training, gc.bool), dropped, lambda: gc.identity(x))
        return dropped() if self._training else x

    def reset_dropout_mask(self) -> None:
        """The next call draws again which inputs are left out."""
        self._masks.pop("inputs", None)

    def reset_recurrent_dropout_mask(self) -> None:
        """The next call draws again which parts of the state are left out."""
        self._masks.pop("state", None)
