"""ServingInputReceiver: the tensors by which a served model is asked, and the features that are made of them."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import graphc as gc
from graphc.api.public import public

_SINGLE_FEATURE, _SINGLE_RECEIVER = "feature", "input"


class _Fields(NamedTuple):
    features: Any
    receiver_tensors: Any
    receiver_tensors_alternatives: Any


@public("estimator.export.ServingInputReceiver")
class ServingInputReceiver(_Fields):
    """features (a dict of tensors, or one, which becomes {"feature": it}) and the placeholders that they are made of,
    as `tf.estimator.export.ServingInputReceiver`. receiver_tensors_alternatives: other placeholders, dicts by name.
    Raises ValueError for names that are no strings, and for what is no tensor.

    >>> pixels = gc.placeholder(gc.uint8, [None, 4])
    >>> receiver = gc.estimator.export.ServingInputReceiver({"x": gc.to_float(pixels) / 255.}, {"pixels": pixels})
    >>> receiver.features["x"].dtype, receiver.receiver_tensors["pixels"].dtype
    (gc.float32, gc.uint8)
    """

    __slots__ = ()

    def __new__(cls, features: Any, receiver_tensors: Any,
                receiver_tensors_alternatives: Mapping[str, Any] | None = None) -> ServingInputReceiver:
        return super().__new__(cls, _tensors(features, "feature", _SINGLE_FEATURE), *_receivers(
            receiver_tensors, receiver_tensors_alternatives))


@public("estimator.export.TensorServingInputReceiver")
class TensorServingInputReceiver(_Fields):
    """A ServingInputReceiver for a model function whose features are one tensor, as
    `tf.estimator.export.TensorServingInputReceiver`.

    Raises ValueError if they are none, and what ServingInputReceiver raises.

    >>> x = gc.placeholder(gc.float32, [None, 4])
    >>> gc.estimator.export.TensorServingInputReceiver(x, x).features is x
    True
    """

    __slots__ = ()

    def __new__(cls, features: Any, receiver_tensors: Any,
                receiver_tensors_alternatives: Mapping[str, Any] | None = None) -> TensorServingInputReceiver:
        if isinstance(features, dict) or not isinstance(features, (gc.Tensor, gc.SparseTensor)):
            raise ValueError(f"feature must be a Tensor or SparseTensor, but is {features!r}")
        return super().__new__(cls, features, *_receivers(receiver_tensors, receiver_tensors_alternatives))


def _tensors(given: Any, what: str, single: str) -> dict[str, Any]:
    if given is None:
        raise ValueError(f"{what}s must be defined.")
    found = dict(given) if isinstance(given, Mapping) else {single: given}
    for key, tensor in found.items():
        if not isinstance(key, str):
            raise ValueError(f"{what} keys must be strings: {key!r}.")
        if not isinstance(tensor, (gc.Tensor, gc.SparseTensor)):
            raise ValueError(f"{what} {key} must be a Tensor or SparseTensor, but is {tensor!r}.")
    return found


def _receivers(tensors: Any, alternatives: Any) -> tuple[dict[str, Any], dict[str, Any] | None]:
    if alternatives is not None and not isinstance(alternatives, Mapping):
        raise ValueError(f"receiver_tensors_alternatives must be a dict: {alternatives!r}.")
    return _tensors(tensors, "receiver_tensor", _SINGLE_RECEIVER), None if alternatives is None else {
        name: _tensors(value, "receiver_tensor", _SINGLE_RECEIVER) for name, value in alternatives.items()}


@public("estimator.export.build_parsing_serving_input_receiver_fn")
def build_parsing_serving_input_receiver_fn(feature_spec: Mapping[str, Any],
                                            default_batch_size: int | None = None
                                            ) -> Callable[[], ServingInputReceiver]:
    """A function that makes a receiver of serialized Examples, parsed by feature_spec, as
    `tf.estimator.export.build_parsing_serving_input_receiver_fn`.
    default_batch_size: of the vector of Examples; None: any.

    The function raises ValueError for an empty feature_spec, or what is no feature in it. The placeholder holds
    strings.

    >>> receive = gc.estimator.export.build_parsing_serving_input_receiver_fn(
    ...     {"x": gc.FixedLenFeature([2], gc.float32)})
    >>> receiver = receive()
    >>> receiver.features["x"].shape, receiver.receiver_tensors
    (TensorShape([Dimension(None), Dimension(2)]), {'examples': <gc.Tensor 'input_example_tensor:0' shape=(?,)
    dtype=string>})
    """
    def serving_input_receiver_fn() -> ServingInputReceiver:
        serialized = gc.placeholder(gc.string, [default_batch_size], name="input_example_tensor")
        return ServingInputReceiver(gc.parse_example(serialized, feature_spec), {"examples": serialized})
    return serving_input_receiver_fn


@public("estimator.export.build_raw_serving_input_receiver_fn")
def build_raw_serving_input_receiver_fn(features: Mapping[str, Any], default_batch_size: int | None = None
                                        ) -> Callable[[], ServingInputReceiver]:
    """A function that makes a receiver of placeholders like these tensors, whose first axis has any size, as
    `tf.estimator.export.build_raw_serving_input_receiver_fn`.

    features: a dictionary of tensors, of any dtypes; default_batch_size: the size of the first axis, instead of any.

    >>> receive = gc.estimator.export.build_raw_serving_input_receiver_fn({"x": gc.zeros([1, 4])})
    >>> receive().receiver_tensors["x"].shape
    TensorShape([Dimension(None), Dimension(4)])
    """
    def serving_input_receiver_fn() -> ServingInputReceiver:
        made = {}
        for key, tensor in features.items():
            shape = tensor.get_shape()
            sizes = None if shape.ndims is None else [default_batch_size, *shape.as_list()[1:]]
            made[key] = gc.placeholder(tensor.dtype, sizes, name=tensor.op.name)
        return ServingInputReceiver(made, made)
    return serving_input_receiver_fn
