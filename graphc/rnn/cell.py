"""RNNCell: what all cells are: layers whose call takes a state and gives it back.

Variables that a cell gets by gc.get_variable while it is called are its own, too. Cells of scripts may override `call`
or `__call__`.
"""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.layers.base import Layer
from graphc.rnn import structures


@public("nn.rnn_cell.RNNCell", "contrib.rnn.RNNCell")
class RNNCell(Layer):
    """Base of the cells, as `tf.nn.rnn_cell.RNNCell`: cell(inputs, state) gives (output, new state).

    A cell defines state_size, output_size and call(inputs, state); variables are made in build(inputs_shape) by
    add_variable, or in call by gc.get_variable. trainable=False keeps the former out of what optimizers train. Sizes
    are numbers, TensorShapes or structures of them. Raises TypeError for unknown arguments; what a cell does not define
    is a NotImplementedError.

    >>> class Sum(gc.nn.rnn_cell.RNNCell):
    ...     state_size = output_size = property(lambda self: 2)
    ...     def call(self, inputs, state):
    ...         return state + inputs, state + inputs
    >>> outputs, state = gc.nn.dynamic_rnn(Sum(), gc.ones([1, 3, 2]), dtype=gc.float32)
    >>> outputs.eval()
    array([[[1., 1.],
            [2., 2.],
            [3., 3.]]], dtype=float32)
    """

    _calling_scope: Any = None                # the scope in which the first call was made, noting variables

    def __init__(self, trainable: bool = True, name: str | None = None, dtype: Any = None,
                 _reuse: bool | None = None, **unknown: Any) -> None:
        if unknown:
            raise TypeError(f"{type(self).__name__}: unknown argument {sorted(unknown)[0]!r}")
        super().__init__(trainable, name, dtype, _reuse=_reuse)

    @property
    def state_size(self) -> Any:
        """The size of a row of the state: a number or TensorShape, or a structure of them."""
        raise NotImplementedError(f"{type(self).__name__} does not define state_size")

    @property
    def output_size(self) -> Any:
        """The size of a row of the output: a number or TensorShape, or a structure of them."""
        raise NotImplementedError(f"{type(self).__name__} does not define output_size")

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:  # type: ignore[override]
        raise NotImplementedError(f"{type(self).__name__} defines neither call nor __call__")

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:  # type: ignore[override]
        """One step. scope: a name or VariableScope for the variables, instead of the cell's name."""
        if scope is not None:
            with gc.variable_scope(scope, custom_getter=self._noting_getter) as entered:
                return super().__call__(inputs, state, scope=entered)  # type: ignore[no-any-return]
        if self._calling_scope is None:
            self._calling_scope = gc.variable_scope(gc.get_variable_scope(), custom_getter=self._noting_getter)
        with self._calling_scope:
            return super().__call__(inputs, state)  # type: ignore[no-any-return]

    apply = __call__  # type: ignore[assignment]

    def _noting_getter(self, getter: Any, *arguments: Any, **more: Any) -> Any:
        """A custom getter that remembers what it gets as the cell's."""
        made = getter(*arguments, **more)
        self._note([made] if isinstance(made, gc.Variable) else list(made), gc.trainable_variables())
        return made

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """zero_state for the batch size and dtype, given or those of `inputs`."""
        if inputs is not None:
            inputs = gc.convert_to_tensor(inputs)
            known = inputs.shape[0].value
            if batch_size is not None and not isinstance(batch_size, gc.Tensor) and known != batch_size:
                raise ValueError(f"batch size from input tensor ({known}) is different from batch_size ({batch_size})")
            if dtype is not None and inputs.dtype != dtype:
                raise ValueError(f"dtype from input tensor ({inputs.dtype.name}) is different from dtype ({dtype})")
            batch_size = known if known is not None else gc.shape(inputs)[0]
            dtype = inputs.dtype
        if batch_size is None or dtype is None:
            raise ValueError("batch_size and dtype cannot be None while constructing initial state: "
                             f"batch_size={batch_size}, dtype={dtype}")
        return self.zero_state(batch_size, dtype)

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """The state before the first step: zeros in the form of state_size, [batch_size, size] each."""
        with gc.name_scope(f"{type(self).__name__}ZeroState"):
            return structures.map_structure(lambda size: structures.zeros(batch_size, size, dtype), self.state_size)


@public("contrib.rnn.LayerRNNCell", "compat.v1.contrib.rnn._LayerRNNCell", "compat.v1.nn.rnn_cell.LayerRNNCell")
class LayerRNNCell(RNNCell):
    """A cell whose variables are all made in `build`, by add_variable; as `tf.contrib.rnn.LayerRNNCell`.

    Sizes and errors are those of RNNCell.

    >>> class Sum(gc.contrib.rnn.LayerRNNCell):
    ...     state_size = output_size = property(lambda self: 2)
    ...     def build(self, inputs_shape):
    ...         self.scale = self.add_variable("scale", [2], initializer=gc.ones_initializer())
    ...         self.built = True
    ...     def call(self, inputs, state):
    ...         output = state + self.scale * inputs
    ...         return output, output
    >>> cell = Sum()
    >>> outputs, state = gc.nn.dynamic_rnn(cell, gc.ones([1, 3, 2]), dtype=gc.float32)
    >>> gc.global_variables_initializer().run()
    >>> state.eval(), cell.trainable_variables
    (array([[3., 3.]], dtype=float32), [<gc.Variable 'rnn/sum/scale:0' shape=(2,) dtype=float32_ref>])
    """

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        return Layer.__call__(self, inputs, state, scope=scope)  # type: ignore[no-any-return]
