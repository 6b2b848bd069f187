"""What many cells have in common: their inputs are matrices of floating point numbers; they have one size."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.layers.input_spec import InputSpec
from graphc.rnn import structures
from graphc.rnn.cell import LayerRNNCell, RNNCell


class MatrixCell(LayerRNNCell):
    """A LayerRNNCell that checks its inputs and state.

    input_size: what cells were told before TensorFlow 1.2. It has no effect: the inputs tell it.
    """

    input_spec = InputSpec(ndim=2)

    def __init__(self, trainable: bool = True, name: str | None = None, dtype: Any = None,
                 _reuse: bool | None = None, input_size: Any = None, **unknown: Any) -> None:
        super().__init__(trainable, name, dtype, _reuse, **unknown)
        self._check_floating(self._dtype)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        for tensor in structures.flatten(state):
            self._check_floating(tensor.dtype)
        return super().__call__(inputs, state, scope)

    def _build_for(self, inputs: Any) -> None:
        for tensor in structures.flatten(inputs):
            self._check_floating(tensor.dtype)
        super()._build_for(inputs)

    def _check_floating(self, dtype: Any) -> None:
        if dtype is not None and not (dtype.is_floating or dtype.is_complex):
            raise ValueError(f"{type(self).__name__}: RNN cell only supports floating point inputs, but saw dtype: "
                             f"{dtype.name}")

    def depth_of(self, inputs_shape: Any) -> int:
        """The number of columns of inputs of this shape. Raises ValueError if it is not known."""
        depth = gc.TensorShape(inputs_shape)[-1].value
        if depth is None:
            raise ValueError(f"{self.name}: Expected inputs.shape[-1] to be known, saw shape: {inputs_shape}")
        return depth


class OneSize(RNNCell):
    """A cell whose state and output have num_units columns each."""

    _num_units: int

    @property
    def state_size(self) -> Any:
        """num_units."""
        return self._num_units

    @property
    def output_size(self) -> Any:
        """num_units."""
        return self._num_units
