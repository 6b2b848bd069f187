"""Names inside TensorFlow's own modules that libraries written for it reach for."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public


class _KindOfTensor(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return gc.is_tensor(instance) and not isinstance(instance, gc.Variable)


@public("compat.v1.python.framework.ops._TensorLike", "compat.v1.python.framework.tensor_like._TensorLike")
class TensorLike(metaclass=_KindOfTensor):
    """What tensors, SparseTensors and IndexedSlices are instances of, for `isinstance` alone.

    As `ops._TensorLike` of TensorFlow 1.15.

    >>> from graphc.compat.framework.inner import TensorLike
    >>> isinstance(gc.constant(1.), TensorLike), isinstance(gc.Variable(1.), TensorLike), isinstance([1.], TensorLike)
    (True, False, False)
    """


@public("compat.v1.python.framework.ops.is_dense_tensor_like")
def is_dense_tensor_like(t: Any) -> bool:
    """Whether t is a Tensor or a Variable.

    As `ops.is_dense_tensor_like` of TensorFlow 1.15.

    >>> from graphc.compat.framework.inner import is_dense_tensor_like
    >>> is_dense_tensor_like(gc.constant(1.)), is_dense_tensor_like(gc.SparseTensor([[0]], [1.], [2]))
    (True, False)
    """
    return isinstance(t, gc.Tensor | gc.Variable)


@public("compat.v1.python.framework.ops._as_graph_element")
def as_graph_element(obj: Any) -> Any:
    """The tensor that stands for obj in a graph, None if its class has none: a Variable's value, None for a Tensor.

    As `ops._as_graph_element` of TensorFlow 1.15.

    >>> from graphc.compat.framework.inner import as_graph_element
    >>> as_graph_element(gc.Variable(1., name="v")), as_graph_element(gc.constant(1.))
    (<gc.Tensor 'v/read:0' shape=() dtype=float32>, None)
    """
    convert = getattr(obj, "_as_graph_element", None)
    return convert() if convert is not None else None
