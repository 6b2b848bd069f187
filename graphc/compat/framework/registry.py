"""The ops that there are, as `tensorflow.python.framework.op_def_registry` lists them."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.op import OPS


@public("compat.v1.python.framework.op_def_registry.get_registered_ops")
def get_registered_ops() -> dict[str, type]:
    """Every op type that graphs are made of, by name, with the class that defines it.

    As `op_def_registry.get_registered_ops` of TensorFlow 1.15, which gives OpDefs.

    >>> ops = gc.compat.v1.python.framework.op_def_registry.get_registered_ops()
    >>> "MatMul" in ops, ops["MatMul"].__name__
    (True, 'MatMul')
    """
    return dict(OPS)
