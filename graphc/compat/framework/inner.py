"""Names inside TensorFlow's own modules that libraries written for it reach for."""
from __future__ import annotations

import sys
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
    """The tensor that stands for obj in a graph: a Variable's value, a Tensor itself; None for other things.

    As `ops._as_graph_element` of TensorFlow 1.15.

    >>> from graphc.compat.framework.inner import as_graph_element
    >>> as_graph_element(gc.Variable(1., name="v")), as_graph_element(1.)
    (<gc.Tensor 'v/read:0' shape=() dtype=float32>, None)
    """
    convert = getattr(obj, "_as_graph_element", None)
    return convert() if convert is not None else None


@public("compat.v1.python.framework.ops.strip_name_scope")
def strip_name_scope(name: str, export_scope: str | None) -> str:
    """The name without the scope in front of it, its mark of a control input (^) and a colocation (loc:@) staying.

    As `ops.strip_name_scope` of TensorFlow 1.15.

    >>> from graphc.compat.framework.inner import strip_name_scope
    >>> strip_name_scope("^a/b/c", "a/b"), strip_name_scope("a/bc", "a/b"), strip_name_scope("a", None)
    ('^c', 'a/bc', 'a')
    """
    mark, bare = _marked(name)
    scope = f"{(export_scope or '').rstrip('/')}/"
    return mark + (bare.removeprefix(scope) if export_scope else bare)


@public("compat.v1.python.framework.ops.prepend_name_scope")
def prepend_name_scope(name: str, import_scope: str | None) -> str:
    """The name with the scope in front, after the mark of a control input (^) or a colocation (loc:@).

    As `ops.prepend_name_scope` of TensorFlow 1.15.

    >>> from graphc.compat.framework.inner import prepend_name_scope
    >>> prepend_name_scope("^c", "a/b/"), prepend_name_scope("loc:@c", "a"), prepend_name_scope("c", "")
    ('^a/b/c', 'loc:@a/c', 'c')
    """
    mark, bare = _marked(name)
    return f"{mark}{import_scope.rstrip('/')}/{bare}" if import_scope else name


def _marked(name: str) -> tuple[str, str]:
    mark = next((m for m in ("^", "loc:@") if name.startswith(m)), "")
    return mark, name.removeprefix(mark)


@public("compat.v1.python.framework.tensor_shape.scalar")
def scalar_shape() -> gc.TensorShape:
    """The shape of a scalar. As `tensor_shape.scalar` of TensorFlow 1.15.

    >>> from graphc.compat.framework.inner import scalar_shape
    >>> scalar_shape()
    TensorShape([])
    """
    return gc.TensorShape([])


@public("compat.v1.python.framework.tensor_shape.unknown_shape")
def unknown_shape(rank: int | None = None, **named: Any) -> gc.TensorShape:
    """A shape of which the rank alone is known, or nothing. As `tensor_shape.unknown_shape` of TensorFlow 1.15, where
    the argument was named ndims before. Raises TypeError for an argument of another name.

    >>> from graphc.compat.framework.inner import unknown_shape
    >>> unknown_shape(2), unknown_shape(ndims=1), unknown_shape().ndims
    (TensorShape([Dimension(None), Dimension(None)]), TensorShape([Dimension(None)]), None)
    """
    rank = named.pop("ndims", rank)
    if named:
        raise TypeError(f"unknown_shape: unexpected argument '{next(iter(named))}'")
    return gc.TensorShape(None if rank is None else [None] * rank)


@public("compat.v1.python.ops.array_ops.shape_internal")
def shape_internal(input: Any, name: str | None = None, optimize: bool = True, out_type: Any = gc.int32) -> Any:
    """gc.shape(input); where the whole shape is known, a constant unless optimize is False.

    As `array_ops.shape_internal` of TensorFlow 1.15. Raises TypeError for an out_type other than int32 and int64.

    >>> from graphc.compat.framework.inner import shape_internal
    >>> shape_internal(gc.zeros([2, 3])).op.type, shape_internal(gc.zeros([2, 3]), optimize=False).op.type
    ('Const', 'Shape')
    """
    input = gc.convert_to_tensor(input) if not isinstance(input, gc.SparseTensor) else input
    if optimize and input.get_shape().is_fully_defined():
        return gc.constant(input.get_shape().as_list(), out_type, name=name or "Shape")
    return gc.shape(input, name=name, out_type=out_type)


@public("compat.v1.python.eager.context.in_eager_mode", "compat.v1.python.tf2.enabled")
def in_eager_mode() -> bool:
    """False: there are graphs only. As `context.in_eager_mode` of TensorFlow 1.4, and `tf2.enabled` of 1.15.

    >>> from graphc.compat.framework.inner import in_eager_mode
    >>> in_eager_mode()
    False
    """
    return False


@public("compat.v1.python.eager.context.in_graph_mode")
def in_graph_mode() -> bool:
    """True: there are graphs only. As `context.in_graph_mode` of TensorFlow 1.4.

    >>> from graphc.compat.framework.inner import in_graph_mode
    >>> in_graph_mode()
    True
    """
    return True


@public("compat.v1.python.util.all_util.remove_undocumented")
def remove_undocumented(module_name: str, allowed_exception_list: Any = None, doc_string_modules: Any = None) -> None:
    """Does nothing: TensorFlow took from the module what its documentation did not name.

    As `all_util.remove_undocumented` of TensorFlow 1.15.

    >>> from graphc.compat.framework.inner import remove_undocumented
    >>> remove_undocumented("module", ["name"])
    """


@public("compat.v1.python.util.all_util.make_all")
def make_all(module_name: str, doc_string_modules: Any = None) -> list[str]:
    """The public names of an imported module: what its `__all__` is made of.

    As `all_util.make_all` of TensorFlow 1.15, which left out what the module's text does not name. Raises KeyError for
    a module that is not imported.

    >>> from graphc.compat.framework.inner import make_all
    >>> "make_all" in make_all("graphc.compat.framework.inner")
    True
    """
    return [name for name in dir(sys.modules[module_name]) if not name.startswith("_")]
