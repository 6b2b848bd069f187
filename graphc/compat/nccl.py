"""contrib.nccl: sums over the devices of a program, which are tensors of one process here."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public


@public("contrib.nccl.all_sum", "compat.v1.python.ops.nccl_ops.all_sum")
def all_sum(tensors: Sequence[Any]) -> list[Any]:
    """The sum of the tensors, once for each of them.

    tensors: a list of one shape and dtype, of numbers (ValueError, TypeError otherwise). As `tf.contrib.nccl.all_sum`,
    which moves them between GPUs; here it is an ordinary sum, on the device where it runs.

    >>> [total.eval() for total in gc.contrib.nccl.all_sum([gc.constant(1.), gc.constant(2.)])]
    [np.float32(3.0), np.float32(3.0)]
    """
    if not tensors:
        raise ValueError("all_sum: argument 'tensors' must be a list of one or more tensors, but is empty")
    total = gc.add_n(tensors)
    return [gc.identity(total) for _ in tensors]
