"""RNNCell: what all cells are. A cell owns its variables and the scope in which they were made.

A cell's scope is that of its first call. Cells of scripts may leave out RNNCell.__init__, and may override `call` or
`__call__`: so what a cell remembers has its first value in the class.
"""
from __future__ import annotations

import copy
import inspect
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.layers.unnamed import numbered, snake_case
from graphc.rnn import structures


@public("nn.rnn_cell.RNNCell", "contrib.rnn.RNNCell")
class RNNCell:
    """As `tf.nn.rnn_cell.RNNCell`: cell(inputs, state) gives (output, new state).

    A cell defines state_size, output_size and call(inputs, state); variables are made in build(inputs_shape) by
    add_variable, or in call by gc.get_variable. trainable=False keeps the former out of what optimizers train.
    """

    trainable = True
    built = False
    _input_rank: int | None = None      # what inputs must have, if a cell says so
    _name: str | None = None
    _base_name: str | None = None
    _dtype: Any = None
    _reuse: bool | None = None
    _scope: Any = None                 # the VariableScope of the first call
    _calling_scope: Any = None                # the scope in which the first call was made, noting variables

    def __init__(self, trainable: bool = True, name: str | None = None, dtype: Any = None,
                 _reuse: bool | None = None, **unknown: Any) -> None:
        if unknown:
            raise TypeError(f"{type(self).__name__}: unknown argument {sorted(unknown)[0]!r}")
        self.trainable = trainable
        self._reuse = _reuse
        self._dtype = None if dtype is None else gc.as_dtype(dtype)
        self._base_name = name or snake_case(type(self).__name__)
        self._name = name or numbered(self._base_name)

    @property
    def state_size(self) -> Any:
        """The size of a row of the state: a number or TensorShape, or a structure of them."""
        raise NotImplementedError(f"{type(self).__name__} does not define state_size")

    @property
    def output_size(self) -> Any:
        """The size of a row of the output: a number or TensorShape, or a structure of them."""
        raise NotImplementedError(f"{type(self).__name__} does not define output_size")

    def build(self, inputs_shape: Any) -> None:
        """Makes the variables; called before the first `call`."""

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        raise NotImplementedError(f"{type(self).__name__} defines neither call nor __call__")

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """One step. scope: a name or VariableScope for the variables, instead of the cell's name."""
        if scope is not None:
            with gc.variable_scope(scope, custom_getter=self._noting_getter) as entered:
                return self._run_in_scope(inputs, state, entered)
        if self._calling_scope is None:
            self._calling_scope = gc.variable_scope(gc.get_variable_scope(), custom_getter=self._noting_getter)
        with self._calling_scope:
            return self._run_in_scope(inputs, state)

    apply = __call__

    def _run_in_scope(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """build, if it is the first time, and call, in the cell's scope."""
        inputs = structures.map_structure(gc.convert_to_tensor, inputs)
        self._find_scope(scope)
        with gc.variable_scope(self._scope, reuse=self.built or self._reuse, auxiliary_name_scope=False) as entered:
            with gc.name_scope(entered.original_name_scope):
                self._build_once(inputs)
                if "scope" in inspect.signature(self.call).parameters:
                    return self.call(inputs, state, scope=entered)
                return self.call(inputs, state)

    def _find_scope(self, scope: Any) -> None:
        if self._scope is not None:
            return
        name = self._base_name or snake_case(type(self).__name__)
        if self._reuse and scope is None:
            scope = name                       # not made unique
        with gc.variable_scope(scope, default_name=name) as found:
            self._scope = found

    def _build_once(self, inputs: Any) -> None:
        first = structures.flatten(inputs)[0]
        if self._input_rank is not None and first.shape.ndims != self._input_rank:
            raise ValueError(f"Input 0 of layer {self.name} is incompatible with the layer: expected ndim="
                             f"{self._input_rank}, found ndim={first.shape.ndims}. Full shape received: {first.shape}")
        if self.built:
            return
        self._dtype = self._dtype or first.dtype
        self.build(structures.map_structure(lambda tensor: tensor.shape, inputs))
        self.built = True

    def add_weight(self, name: str, shape: Any, dtype: Any = None, initializer: Any = None, regularizer: Any = None,
                   trainable: bool | None = None, constraint: Any = None, use_resource: bool | None = None,
                   synchronization: Any = None, aggregation: Any = None, partitioner: Any = None) -> Any:
        """A variable of this cell, by default of its dtype; use_resource, synchronization and aggregation have no
        effect."""
        self._find_scope(None)
        with gc.variable_scope(self._scope, reuse=self.built or self._reuse, auxiliary_name_scope=False) as entered:
            with gc.name_scope(entered.original_name_scope):
                made = gc.get_variable(name, shape, dtype or self._dtype or gc.float32, initializer=initializer,
                                       regularizer=regularizer, constraint=constraint, partitioner=partitioner,
                                       trainable=trainable is not False and self.trainable)
        return self._note_variable(made)

    add_variable = add_weight

    def _noting_getter(self, getter: Any, *arguments: Any, **more: Any) -> Any:
        """A custom getter that remembers what it gets as the cell's."""
        return self._note_variable(getter(*arguments, **more))

    def _note_variable(self, variable: Any) -> Any:
        known = self.__dict__.setdefault("_noted_variables", [])
        if not any(variable is other for other in known):
            known.append(variable)
        return variable

    @property
    def weights(self) -> list[Any]:
        """All variables of the cell, those that are trained first."""
        return [*self.trainable_weights, *self.non_trainable_weights]

    @property
    def trainable_weights(self) -> list[Any]:
        return [v for v in self.__dict__.get("_noted_variables", ()) if v.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        return [v for v in self.__dict__.get("_noted_variables", ()) if not (v.trainable and self.trainable)]

    variables = property(lambda self: self.weights, doc="As `weights`.")
    trainable_variables = property(lambda self: self.trainable_weights, doc="As `trainable_weights`.")
    non_trainable_variables = property(lambda self: self.non_trainable_weights, doc="As `non_trainable_weights`.")

    @property
    def name(self) -> str:
        return self._name or snake_case(type(self).__name__)

    @property
    def dtype(self) -> Any:
        """The dtype of the variables: given, or that of the first inputs."""
        return self._dtype

    @property
    def scope_name(self) -> str:
        """The name of the scope of the first call. Raises ValueError before that."""
        if self._scope is None:
            raise ValueError(f"No name available for layer scope because the layer \"{self.name}\" has not been used "
                             "yet: call it first")
        return self._scope.name

    def count_params(self) -> int:
        """The number of elements of all variables. Raises ValueError before they are made."""
        if not self.built:
            raise ValueError(f"count_params of {self.name}: the cell has no variables before it is called or built")
        return sum(v.shape.num_elements() for v in self.weights)

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

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """A cell of its own with the same settings; tensors, variables and scopes belong to the graph, and stay."""
        made = type(self).__new__(type(self))
        memo[id(self)] = made
        for key, value in self.__dict__.items():
            shared = key in ("_scope", "_calling_scope", "_noted_variables")
            made.__dict__[key] = copy.copy(value) if shared else _copied(value, memo)
        return made


@public("contrib.rnn.LayerRNNCell", "compat.v1.contrib.rnn._LayerRNNCell", "compat.v1.nn.rnn_cell.LayerRNNCell")
class LayerRNNCell(RNNCell):
    """A cell whose variables are all made in `build`, by add_variable; as `tf.contrib.rnn.LayerRNNCell`."""

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        return self._run_in_scope(inputs, state, scope)


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    """A copy in which everything that belongs to a graph is still the same."""
    if isinstance(value, (gc.Tensor, gc.Variable, gc.Operation, gc.TensorArray, gc.VariableScope, gc.Graph)):
        return value
    if isinstance(value, dict):
        return type(value)((key, _copied(part, memo)) for key, part in value.items())
    if isinstance(value, (list, tuple)):
        parts = [_copied(part, memo) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return copy.deepcopy(value, memo)
