"""Signatures: the tensors by which a graph is asked, under names that stay when the graph changes."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.saved_model import fixed_names as names
from graphc.serial.meta_graph_pb2 import SignatureDef, TensorInfo
from graphc.serial.tensors import shape_to_proto


@public("saved_model.build_tensor_info", "saved_model.utils.build_tensor_info")
def build_tensor_info(tensor: Any) -> TensorInfo:
    """Name, dtype and shape of a tensor or SparseTensor, as `tf.saved_model.build_tensor_info`.

    It takes variables, too.

    >>> print(gc.saved_model.build_tensor_info(gc.placeholder(gc.float32, [None, 2], "x")))
    name: "x:0"
    dtype: DT_FLOAT
    tensor_shape {
      dim {
        size: -1
      }
      dim {
        size: 2
      }
    }
    """
    shape = tensor.get_shape()
    sizes = None if shape.ndims is None else shape.as_list()
    made = TensorInfo(dtype=tensor.dtype.number, tensor_shape=shape_to_proto(sizes))
    if isinstance(tensor, gc.SparseTensor):
        made.coo_sparse.values_tensor_name = tensor.values.name
        made.coo_sparse.indices_tensor_name = tensor.indices.name
        made.coo_sparse.dense_shape_tensor_name = tensor.dense_shape.name
    else:
        made.name = tensor.name
    return made


@public("saved_model.get_tensor_from_tensor_info", "saved_model.utils.get_tensor_from_tensor_info")
def get_tensor_from_tensor_info(tensor_info: TensorInfo, graph: Any = None, import_scope: str | None = None) -> Any:
    """The tensor or SparseTensor of a graph that is meant, as `tf.saved_model.get_tensor_from_tensor_info`. Raises
    NotFoundError (a KeyError) if the graph has none of that name, ValueError for a TensorInfo that names none.

    >>> x = gc.placeholder(gc.float32, [None, 2], "x")
    >>> gc.saved_model.get_tensor_from_tensor_info(gc.saved_model.build_tensor_info(x)) is x
    True
    """
    graph = graph if graph is not None else gc.get_default_graph()

    def element(name: str) -> Any:
        return graph.get_tensor_by_name(f"{import_scope}/{name}" if import_scope else name)

    encoding = tensor_info.WhichOneof("encoding")
    if encoding == "name":
        return element(tensor_info.name)
    if encoding == "coo_sparse":
        parts = tensor_info.coo_sparse
        return gc.SparseTensor(element(parts.indices_tensor_name), element(parts.values_tensor_name),
                               element(parts.dense_shape_tensor_name))
    raise ValueError(f"Invalid TensorInfo.encoding: {encoding}")


@public("saved_model.build_signature_def", "saved_model.signature_def_utils.build_signature_def")
def build_signature_def(inputs: Mapping[str, TensorInfo] | None = None, outputs: Mapping[str, TensorInfo] | None = None,
                        method_name: str | None = None) -> SignatureDef:
    """A SignatureDef: inputs and outputs, TensorInfos by name, and the name of the method of serving; as
    `tf.saved_model.build_signature_def`.

    Raises TypeError for values that are no TensorInfos: gc.saved_model.build_tensor_info makes them.

    >>> x = gc.placeholder(gc.float32, [None], "x")
    >>> info = gc.saved_model.build_tensor_info(x)
    >>> signature = gc.saved_model.build_signature_def({"in": info}, {"out": info}, "my/method")
    >>> signature.inputs["in"].name, signature.method_name
    ('x:0', 'my/method')
    """
    made = SignatureDef(method_name=method_name or "")
    for target, given in ((made.inputs, inputs), (made.outputs, outputs)):
        for name, info in (given or {}).items():
            target[name].CopyFrom(info)
    return made


@public("saved_model.predict_signature_def", "saved_model.signature_def_utils.predict_signature_def")
def predict_signature_def(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> SignatureDef:
    """A signature of any tensors by name, as `tf.saved_model.predict_signature_def`.

    Raises ValueError without inputs or outputs.

    >>> x = gc.placeholder(gc.float32, [None, 2], "x")
    >>> signature = gc.saved_model.predict_signature_def({"pixels": x}, {"sum": gc.reduce_sum(x, 1, name="y")})
    >>> signature.inputs["pixels"].name, signature.outputs["sum"].name, signature.method_name
    ('x:0', 'y:0', 'tensorflow/serving/predict')
    """
    for label, given in (("inputs", inputs), ("outputs", outputs)):
        if not given:
            raise ValueError(f"Prediction `{label}` cannot be None or empty.")
    return build_signature_def({key: build_tensor_info(t) for key, t in inputs.items()},
                               {key: build_tensor_info(t) for key, t in outputs.items()}, names.PREDICT_METHOD_NAME)


@public("saved_model.regression_signature_def", "saved_model.signature_def_utils.regression_signature_def")
def regression_signature_def(examples: Any, predictions: Any) -> SignatureDef:
    """A signature from Examples (strings) to numbers, as `tf.saved_model.regression_signature_def`.

    Raises ValueError without one of them, or for other dtypes than string and float32.

    >>> examples = gc.placeholder(gc.string, [None], "examples")
    >>> signature = gc.saved_model.regression_signature_def(examples, gc.zeros([3], name="prices"))
    >>> signature.inputs["inputs"].name, signature.outputs["outputs"].name
    ('examples:0', 'prices:0')
    """
    return build_signature_def({names.REGRESS_INPUTS: _info("Regression `examples`", examples, gc.string)},
                               {names.REGRESS_OUTPUTS: _info("Regression `predictions`", predictions, gc.float32)},
                               names.REGRESS_METHOD_NAME)


@public("saved_model.classification_signature_def", "saved_model.signature_def_utils.classification_signature_def")
def classification_signature_def(examples: Any, classes: Any, scores: Any) -> SignatureDef:
    """A signature from Examples (strings) to classes (strings), scores, or both, as
    `tf.saved_model.classification_signature_def`.
    Raises ValueError without examples, without both classes and scores, or for other dtypes.

    >>> examples = gc.placeholder(gc.string, [None], "examples")
    >>> scores = gc.zeros([3, 2], name="scores")
    >>> signature = gc.saved_model.classification_signature_def(examples, classes=None, scores=scores)
    >>> signature.method_name, signature.outputs["scores"].name
    ('tensorflow/serving/classify', 'scores:0')
    """
    if classes is None and scores is None:
        raise ValueError("Classification `classes` and `scores` cannot both be None.")
    outputs = {}
    if classes is not None:
        outputs[names.CLASSIFY_OUTPUT_CLASSES] = _info("Classification `classes`", classes, gc.string)
    if scores is not None:
        outputs[names.CLASSIFY_OUTPUT_SCORES] = _info("Classification `scores`", scores, gc.float32)
    return build_signature_def({names.CLASSIFY_INPUTS: _info("Classification `examples`", examples, gc.string)},
                               outputs, names.CLASSIFY_METHOD_NAME)


def _info(what: str, tensor: Any, dtype: Any) -> TensorInfo:
    if tensor is None:
        raise ValueError(f"{what} cannot be None.")
    if not isinstance(tensor, gc.Tensor):
        raise ValueError(f"{what} must be of type Tensor, but is {tensor!r}.")
    if tensor.dtype != dtype:
        raise ValueError(f"{what} must be a {dtype.name} Tensor, but has dtype {tensor.dtype.name}.")
    return build_tensor_info(tensor)


@public("saved_model.is_valid_signature", "saved_model.signature_def_utils.is_valid_signature")
def is_valid_signature(signature_def: SignatureDef | None) -> bool:
    """Whether TensorFlow Serving can serve it, as `tf.saved_model.is_valid_signature`.

    Its method must be one of PREDICT_METHOD_NAME, CLASSIFY_METHOD_NAME and REGRESS_METHOD_NAME, with the inputs and
    outputs of that.

    >>> x = gc.placeholder(gc.float32, [None], "x")
    >>> gc.saved_model.is_valid_signature(gc.saved_model.predict_signature_def({"x": x}, {"y": x}))
    True
    >>> gc.saved_model.is_valid_signature(gc.saved_model.build_signature_def(method_name="my/method"))
    False
    """
    if signature_def is None:
        return False
    given = {key: info.dtype for key, info in signature_def.inputs.items()}
    results = {key: info.dtype for key, info in signature_def.outputs.items()}
    text, number = gc.string.number, gc.float32.number
    match signature_def.method_name:
        case names.PREDICT_METHOD_NAME:
            return bool(given and results)
        case names.REGRESS_METHOD_NAME:
            return given == {names.REGRESS_INPUTS: text} and results == {names.REGRESS_OUTPUTS: number}
        case names.CLASSIFY_METHOD_NAME:
            allowed = {names.CLASSIFY_OUTPUT_CLASSES: text, names.CLASSIFY_OUTPUT_SCORES: number}
            return given == {names.CLASSIFY_INPUTS: text} and bool(results) and results.items() <= allowed.items()
    return False
