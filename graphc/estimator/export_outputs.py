"""What a model gives when it is served: the outputs of the signatures of its SavedModel."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import graphc as gc
from graphc.api.public import public

DEFAULT_KEY = "serving_default"     # saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY
_SINGLE_OUTPUT = "output"


@public("estimator.export.ExportOutput")
class ExportOutput:
    """Base of the outputs, as `tf.estimator.export.ExportOutput`.

    as_signature_def(receiver_tensors) gives the SignatureDef of such an output. Here it raises NotImplementedError.

    >>> isinstance(gc.estimator.export.RegressionOutput(gc.zeros([3])), gc.estimator.export.ExportOutput)
    True
    """

    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> Any:
        """The signature from these inputs. Raises ValueError if there is none of this kind."""
        raise NotImplementedError(f"{type(self).__name__}.as_signature_def")


@public("estimator.export.ClassificationOutput")
class ClassificationOutput(ExportOutput):
    """Scores (numbers), classes (strings, one for each score or for each example), or both, as
    `tf.estimator.export.ClassificationOutput`. Scores are of any floating point. Raises ValueError for other dtypes, or
    if there is neither.

    >>> output = gc.estimator.export.ClassificationOutput(scores=gc.zeros([2, 3], name="scores"))
    >>> output.as_signature_def({"examples": gc.placeholder(gc.string, [None])}).method_name
    'tensorflow/serving/classify'
    """

    def __init__(self, scores: Any = None, classes: Any = None) -> None:
        if scores is not None and not (isinstance(scores, gc.Tensor) and scores.dtype.is_floating):
            raise ValueError(f"Classification scores must be a float32 Tensor; got {scores!r}")
        if classes is not None and not (isinstance(classes, gc.Tensor) and classes.dtype == gc.string):
            raise ValueError(f"Classification classes must be a string Tensor; got {classes!r}")
        if scores is None and classes is None:
            raise ValueError("At least one of scores and classes must be set.")
        self._scores, self._classes = scores, classes

    scores = property(lambda self: self._scores, doc="The numbers, or None.")
    classes = property(lambda self: self._classes, doc="The strings, or None.")

    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> Any:
        examples = _examples("Classification", receiver_tensors)
        return gc.saved_model.classification_signature_def(examples, self.classes, self.scores)


@public("estimator.export.RegressionOutput")
class RegressionOutput(ExportOutput):
    """Numbers, as `tf.estimator.export.RegressionOutput`. Of any floating point; raises ValueError for other dtypes.

    >>> gc.estimator.export.RegressionOutput(gc.zeros([3], name="y")).value
    <gc.Tensor 'y:0' shape=(3,) dtype=float32>
    >>> gc.estimator.export.RegressionOutput(gc.constant("y"))
    Traceback (most recent call last):
        ...
    ValueError: Regression output value must be a float32 Tensor; got <gc.Tensor 'Const:0' shape=() dtype=string>
    ...
    """

    def __init__(self, value: Any) -> None:
        if not (isinstance(value, gc.Tensor) and value.dtype.is_floating):
            raise ValueError(f"Regression output value must be a float32 Tensor; got {value!r}")
        self._value = value

    value = property(lambda self: self._value, doc="The numbers.")

    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> Any:
        return gc.saved_model.regression_signature_def(_examples("Regression", receiver_tensors), self.value)


@public("estimator.export.PredictOutput")
class PredictOutput(ExportOutput):
    """Any tensors by name, or a single one ("output"), as `tf.estimator.export.PredictOutput`. Raises ValueError for
    what is neither, and for names that are no strings.

    >>> gc.estimator.export.PredictOutput(gc.zeros([3], name="y")).outputs
    {'output': <gc.Tensor 'y:0' shape=(3,) dtype=float32>}
    """

    def __init__(self, outputs: Any) -> None:
        given = outputs if isinstance(outputs, Mapping) else {_SINGLE_OUTPUT: outputs}
        for key, tensor in given.items():
            if not isinstance(key, str):
                raise ValueError(f"Prediction output key must be a string; got {key!r}.")
            if not isinstance(tensor, (gc.Tensor, gc.SparseTensor)):
                raise ValueError(f"Prediction output value must be a Tensor; got {tensor!r}.")
        self._outputs = dict(given)

    outputs = property(lambda self: self._outputs, doc="The tensors by name.")

    def as_signature_def(self, receiver_tensors: Mapping[str, Any]) -> Any:
        return gc.saved_model.predict_signature_def(receiver_tensors, self.outputs)


def _examples(kind: str, receiver_tensors: Mapping[str, Any]) -> Any:
    if len(receiver_tensors) != 1:
        raise ValueError(f"{kind} input must be a single string Tensor; got {dict(receiver_tensors)}")
    (examples,) = receiver_tensors.values()
    if not isinstance(examples, gc.Tensor) or examples.dtype != gc.string:
        raise ValueError(f"{kind} input must be a single string Tensor; got {dict(receiver_tensors)}")
    return examples


def checked_export_outputs(outputs: Any, predictions: Any) -> dict[str, ExportOutput]:
    """The outputs by the names of their signatures, one of which is the default one: the predictions if none are given.

    Raises TypeError for what is no ExportOutput, ValueError if there are several and none is the default.
    """
    if outputs is None:
        return {DEFAULT_KEY: PredictOutput(predictions)}
    if not isinstance(outputs, dict):
        raise TypeError(f"export_outputs must be dict, given: {outputs!r}")
    for output in outputs.values():
        if not isinstance(output, ExportOutput):
            raise TypeError("Values in export_outputs must be ExportOutput objects. Given: "
                            f"{outputs!r}")
    if DEFAULT_KEY in outputs:
        return dict(outputs)
    if len(outputs) > 1:
        raise ValueError("Multiple export_outputs were provided, but none of them is specified as the default. Name "
                         f"one of them {DEFAULT_KEY!r}: gc.saved_model.signature_constants."
                         "DEFAULT_SERVING_SIGNATURE_DEF_KEY.")
    return {**outputs, DEFAULT_KEY: next(iter(outputs.values()))} if outputs else {}
