"""Layer: the base of all layers. A layer makes its variables when it is first called, inside a variable scope of its
own, and uses the same ones in every further call.

Layers and cells (graphc/rnn) of scripts may leave out __init__: so what a layer remembers has its first value in the
class, or from __new__.

Names, as TensorFlow 1.15's: the scope is "dense" for the first unnamed Dense of a variable scope, then "dense_1", ...;
the ops of each call stand in the name scope that belongs to the variable scope.
"""
from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import graphc as gc
from graphc.api.public import public
from graphc.layers.collected import Collected
from graphc.layers.named import constraint_of, initializer_of, regularizer_of
from graphc.layers.unnamed import numbered, snake_case


@public("layers.Layer", "compat.v1.python.layers.base.Layer")
class Layer(Collected):
    """Base of the layers, as `tf.layers.Layer`. A subclass has `build(input_shape)`, which makes variables by
    `add_weight`, and `call(inputs, ...)`.

    trainable: whether its variables are trained. dtype: of the variables; by default that of the first input.
    activity_regularizer: a loss made of each output, divided by the batch size. Raises ValueError for a name of a
    regularizer that is not known; a call raises it if the inputs do not fit the layer's input_spec, or `call` gives
    None.

    >>> class Scale(gc.layers.Layer):
    ...     def build(self, input_shape):
    ...         self.factor = self.add_weight("factor", [], initializer=gc.constant_initializer(2.))
    ...     def call(self, inputs):
    ...         return self.factor * inputs
    >>> y = Scale()(gc.constant([1., 3.]))
    >>> gc.global_variables_initializer().run()
    >>> y.eval()
    array([2., 6.], dtype=float32)
    """

    built = False
    input_spec: Any = None
    _dtype: Any = None
    _activity_regularizer: Any = None
    _reuse: Any = None
    _name: str | None = None
    _base_name: str | None = None
    _scope: Any = None                 # the VariableScope of the first call
    _current_scope: Any = None
    _trainable_weights: list[gc.Variable]
    _non_trainable_weights: list[gc.Variable]

    def __new__(cls, *arguments: Any, **more: Any) -> Any:
        made = super().__new__(cls)
        made._trainable_weights, made._non_trainable_weights = [], []
        return made

    def __init__(self, trainable: bool = True, name: Any = None, dtype: Any = None, *, activity_regularizer: Any = None,
                 _scope: Any = None, _reuse: Any = None) -> None:
        self.trainable = trainable
        self._dtype = None if dtype is None else gc.as_dtype(dtype).base_dtype
        self._activity_regularizer = regularizer_of(activity_regularizer)
        self._reuse = _reuse
        kind = snake_case(type(self).__name__)
        plain = name if isinstance(name, str) and name else None
        self._name = plain or numbered(kind)
        self._base_name = plain or (name.name if isinstance(name, gc.VariableScope) else kind)
        if _scope:
            with gc.variable_scope(_scope) as captured:
                self._scope = captured

    # What it is

    @property
    def name(self) -> str:
        return self._name or snake_case(type(self).__name__)

    @property
    def dtype(self) -> Any:
        """The dtype of the variables; None before it is known."""
        return self._dtype

    @property
    def graph(self) -> None:
        """None: layers do not belong to a graph (deprecated in TensorFlow, too)."""
        return None

    @property
    def scope_name(self) -> str:
        """The name of its variable scope. Raises ValueError before the first call."""
        if self._scope is None:
            raise ValueError(f'No name available for layer scope because the layer "{self.name}" has not been used '
                             "yet: the scope's name is determined the first time the layer is called")
        return self._scope.name  # type: ignore[no-any-return]

    @property
    def activity_regularizer(self) -> Any:
        return self._activity_regularizer

    @property
    def trainable_weights(self) -> list[gc.Variable]:
        return list(self._trainable_weights) if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[gc.Variable]:
        return list(self._non_trainable_weights) if self.trainable else [*self._trainable_weights,
                                                                          *self._non_trainable_weights]

    @property
    def weights(self) -> list[gc.Variable]:
        """Its variables, the trained ones first."""
        return self.trainable_weights + self.non_trainable_weights

    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights
    variables = weights

    def count_params(self) -> int:
        """How many numbers its variables hold. Raises ValueError before it is built."""
        if not self.built:
            raise ValueError(f"You tried to call `count_params` on {self.name}, but the layer isn't built. Call it "
                             "once, or `build(input_shape)`.")
        return sum(int(np.prod(w.shape.as_list())) for w in self.weights)

    # Calling it

    def build(self, input_shape: Any) -> None:
        """Makes the variables: subclasses override it."""
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """What the layer computes: subclasses override it."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not say the shape of its output")

    def apply(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The same as calling the layer."""
        return self(inputs, *args, **kwargs)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The outputs. scope: where the variables are, if this is the first call and no scope was given before.

        Raises ValueError if the inputs do not fit `input_spec`, or `call` returns None.
        """
        self._set_scope(kwargs.pop("scope", None))
        with gc.variable_scope(self._scope, reuse=True if self.built else self._reuse,
                               auxiliary_name_scope=False) as scope:
            self._current_scope = scope
            if "scope" in inspect.signature(self.call).parameters:
                kwargs["scope"] = scope
            with gc.name_scope(scope.original_name_scope):
                inputs = gc.nest.map_structure(_as_tensor, inputs)
                self._inputs.extend(gc.nest.flatten(inputs))
                self._build_for(inputs)
                outputs = self.call(inputs, *args, **kwargs)
                if outputs is None:
                    raise ValueError("A layer's `call` method should return a Tensor or a list of Tensors, not None "
                                     f"(layer: {self.name}).")
                self._regularize_activity(outputs)
        self._publish_updates()
        return outputs

    def _build_for(self, inputs: Any) -> None:
        """Checks the inputs; at the first call takes their dtype and makes the variables."""
        specs = self.input_spec if isinstance(self.input_spec, (list, tuple)) else [self.input_spec]
        flat = gc.nest.flatten(inputs)
        if not flat and self.input_spec is not None:
            raise ValueError(f"Input 0 of layer {self.name} is incompatible with the layer: it is {inputs!r}, which "
                             "holds no tensor")
        for which, (spec, given) in enumerate(zip(specs, flat, strict=False)):
            if spec is not None and isinstance(given, gc.Tensor):
                spec.check(given, which, self.name)
        if self.built:
            return
        if self._dtype is None and flat:
            self._dtype = flat[0].dtype.base_dtype
        self.build(gc.nest.map_structure(lambda x: x.get_shape(), inputs))
        self.built = True

    def _regularize_activity(self, outputs: Any) -> None:
        if self._activity_regularizer is None:
            return
        with gc.name_scope("ActivityRegularizer"):
            for output in gc.nest.flatten(outputs):
                loss = self._activity_regularizer(output)
                self.add_loss(loss / gc.cast(gc.shape(output)[0], loss.dtype))

    def _set_scope(self, scope: Any = None) -> None:
        """Fixes the variable scope, the first time."""
        if self._scope is None:
            name = self._base_name or snake_case(type(self).__name__)
            if self._reuse:                    # not made unique
                entered = gc.variable_scope(name if scope is None else scope)
            else:
                entered = gc.variable_scope(scope, default_name=name)
            with entered as captured:
                self._scope = captured

    # Making variables

    def add_weight(self, name: str, shape: Any = None, dtype: Any = None, initializer: Any = None,
                   regularizer: Any = None, trainable: bool | None = None, constraint: Any = None,
                   use_resource: bool | None = None, synchronization: Any = None, aggregation: Any = None,
                   partitioner: Any = None) -> Any:
        """The variable "scope/name": made, or found if the layer is used again. As `tf.layers.Layer.add_weight`.

        use_resource, synchronization and aggregation change nothing in one process.
        """
        shape = () if shape is None else shape
        dtype = gc.as_dtype(dtype or self._dtype or gc.float32)
        self._dtype = self._dtype or dtype.base_dtype
        wanted = trainable is not False and self.trainable
        known = set(gc.global_variables())
        self._set_scope()
        with gc.variable_scope(self._scope, reuse=self.built or self._reuse, auxiliary_name_scope=False) as scope:
            self._current_scope = scope
            with gc.name_scope(scope.original_name_scope):
                made = gc.get_variable(name, shape, dtype, initializer=initializer_of(initializer), trainable=wanted,
                                       constraint=constraint_of(constraint), partitioner=partitioner)
                parts = [made] if isinstance(made, gc.Variable) else list(made)
                if regularizer is not None:
                    self._regularize(name, [p for p in parts if p not in known], regularizer_of(regularizer))
        self._note(parts, gc.trainable_variables() if wanted else ())
        return made

    def add_variable(self, *args: Any, **kwargs: Any) -> Any:
        """The same as add_weight."""
        return self.add_weight(*args, **kwargs)

    def _note(self, variables: Sequence[gc.Variable], trained: Sequence[gc.Variable]) -> None:
        """These are the layer's variables from now on."""
        for variable in variables:
            kept = self._trainable_weights if variable in trained else self._non_trainable_weights
            if variable not in kept:
                kept.append(variable)

    def _regularize(self, name: str, parts: Sequence[gc.Variable], regularizer: Callable[[Any], Any]) -> None:
        for part in parts:
            with gc.name_scope(f"{name}/Regularizer"):
                loss = regularizer(part)
            if loss is not None:
                self.add_loss(loss)

    def __deepcopy__(self, memo: dict[int, Any]) -> Layer:
        """A layer of its own with the same settings; tensors, variables and scopes belong to the graph, and stay."""
        made: Layer = type(self).__new__(type(self))
        memo[id(self)] = made
        vars(made).update((key, _copied(value, memo)) for key, value in vars(self).items())
        return made


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    """A copy in which everything that belongs to a graph is still the same."""
    if isinstance(value, (gc.VariableScope, gc.variable_scope)):
        return copy.copy(value)
    if isinstance(value, (gc.Tensor, gc.Variable, gc.Operation, gc.TensorArray, gc.Graph)):
        return value
    if isinstance(value, dict):
        return type(value)((key, _copied(part, memo)) for key, part in value.items())
    if isinstance(value, (list, tuple)):
        parts = [_copied(part, memo) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return copy.deepcopy(value, memo)


def _as_tensor(value: Any) -> Any:
    return gc.convert_to_tensor(value) if isinstance(value, (np.ndarray, np.generic, float, int)) else value
