"""assert_shapes: that sizes of several tensors are what they should be, or equal."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphc.api.array.identity import group, no_op
from graphc.api.array.shapes import shape as shape_of
from graphc.api.control.asserts import assert_rank, assert_rank_at_least
from graphc.api.control.script import Assert
from graphc.api.math.comparison import equal
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.graph import get_default_graph

if TYPE_CHECKING:
    from graphc.ir.graph import Operation, Tensor

ANY_NUMBER = (Ellipsis, "*")       # of axes in front
ANY_SIZE = (None, ".")


@public("debugging.assert_shapes")
def assert_shapes(shapes: Mapping[Any, Any] | Sequence[tuple[Any, Any]], data: Any = None,
                  summarize: int | None = None, message: str | None = None, name: str | None = None) -> Operation:
    """An operation that fails unless each tensor has its shape; sizes with one name are the same everywhere.

    shapes: tensor -> a tuple of sizes: an int; None or "." (any size); any other symbol, the same size everywhere; "*"
    in front (or Python's ellipsis) stands for any number of axes. As `tf.debugging.assert_shapes`. Raises ValueError
    for what is known to be wrong while building, InvalidArgumentError when run.

    >>> x, y = gc.placeholder(gc.float32, [None, 3]), gc.placeholder(gc.float32, [None])
    >>> check = gc.debugging.assert_shapes([(x, ("batch", 3)), (y, ("batch",))])
    >>> check.run({x: np.ones([2, 3]), y: np.ones(2)})
    >>> gc.debugging.assert_shapes([(gc.zeros([2, 3]), ("n", "n"))])
    Traceback (most recent call last):
        ...
    ValueError: Tensor zeros:0 dimension -1 must have size 2, by Tensor zeros:0 dimension -2.  ...
    """
    prefix = f"{message}.  " if message else ""
    with get_default_graph().name_scope(name or "assert_shapes"):
        pairs = shapes.items() if isinstance(shapes, Mapping) else shapes
        checks: list[Any] = []
        found: dict[Any, tuple[Any, str]] = {}
        for value, symbols in pairs:
            if symbols is None:
                continue
            tensor = convert_to_tensor(value)
            if not hasattr(symbols, "__iter__"):
                raise ValueError(f"{prefix}Tensor {tensor.name}.  Specified shape must be an iterable.  Got: {symbols}")
            checks += _tensor_checks(tensor, tuple(symbols), found, prefix, data, summarize, message)
        return group(*checks) if checks else no_op(name="static_checks_determined_all_ok")


def _tensor_checks(tensor: Tensor, symbols: tuple[Any, ...], found: dict[Any, tuple[Any, str]], prefix: str, data: Any,
                   summarize: int | None, message: str | None) -> list[Any]:
    open_front = bool(symbols) and any(symbols[0] is s or symbols[0] == s for s in ANY_NUMBER)
    sizes = symbols[1:] if open_front else symbols
    if any(s is Ellipsis or s == "*" for s in sizes):
        raise ValueError(f"{prefix}Tensor {tensor.name} specified shape {symbols}: `...` or `*` for a variable "
                         f"number of "
                         "unspecified dimensions is only allowed as the first entry")
    ranked = assert_rank_at_least if open_front else assert_rank
    checks: list[Any] = [ranked(tensor, len(sizes), data, summarize, message)]
    static = tensor.spec.static_shape
    for i, symbol in enumerate(sizes):
        place = i - len(sizes)
        if symbol in ANY_SIZE:
            continue
        known = None if static is None else static[place]
        size = shape_of(tensor)[place] if known is None else known
        label = f"Tensor {tensor.name} dimension {place}"
        if isinstance(symbol, int):
            wanted, other = symbol, "its specification"
        elif symbol in found:
            wanted, other = found[symbol]
        else:
            found[symbol] = (size, label)
            continue
        if isinstance(size, int) and isinstance(wanted, int):
            if size != wanted:
                raise ValueError(f"{prefix}{label} must have size {wanted}, by {other}.  Received size {size}, shape "
                                 f"{tensor.shape}")
            continue
        words = data if data is not None else [message or "", f"{label} must have the size of {other}: ", wanted,
                                               "Received size: ", size]
        checks.append(Assert(equal(size, wanted), words, summarize=summarize))
    return checks
