"""count_up_to: a counter that ends what reads it."""
from __future__ import annotations

from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.identity import identity
from graphc.api.math.comparison import less
from graphc.api.public import public
from graphc.api.state.state import assign_add, ref_of
from graphc.ir.apply import apply
from graphc.ir.dtypes import int32, int64
from graphc.ir.graph import get_default_graph
from graphc.ir.op import OPS
from graphc.ir.tensor import Tensor


@public("count_up_to")
def count_up_to(ref: Any, limit: int, name: str | None = None) -> Tensor:
    """The variable's value, which is 1 more from then on; OutOfRangeError when run once it is `limit`.

    ref: a scalar variable of int32 or int64 (TypeError for others, ValueError for other shapes and what is no
    variable). As `tf.count_up_to`.

    >>> v = gc.Variable(0)
    >>> gc.global_variables_initializer().run()
    >>> counter = gc.count_up_to(v, 2)
    >>> counter.eval(), counter.eval()
    (np.int32(0), np.int32(1))
    >>> counter.eval()
    Traceback (most recent call last):
        ...
    graphc.errors.OutOfRangeError: _EndOfData 'CountUpTo/EndOfData': Reached limit of 2 ...
    """
    graph, variable = get_default_graph(), ref_of(ref, "CountUpTo")
    if variable.dtype not in (int32, int64):
        raise TypeError(f"count_up_to: argument 'ref' must be of int32 or int64, but is {variable.dtype.name}")
    with graph.name_scope(name or "CountUpTo") as scope:
        check = apply(OPS["_EndOfData"], less(identity(variable), cast(limit, variable.dtype)),
                      message=f"Reached limit of {limit}")
        with graph.control_dependencies([check]):
            after = assign_add(ref, cast(1, variable.dtype))
        with graph.control_dependencies([after]):
            return identity(after - cast(1, variable.dtype), name=scope)
