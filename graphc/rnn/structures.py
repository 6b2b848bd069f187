"""Nested states and inputs, and sizes of states: what cells and the functions that run them share."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public

flatten = gc.nest.flatten
pack = gc.nest.pack_sequence_as
map_structure = gc.nest.map_structure
assert_same_structure = gc.nest.assert_same_structure
is_nested = gc.nest.is_nested


def sizes_of(size: Any) -> list[Any]:
    """One entry of state_size or output_size (a number, Dimension or TensorShape) as a list of sizes."""
    if isinstance(size, gc.TensorShape):
        return list(size.as_list())
    if isinstance(size, gc.Dimension):
        return [size.value]
    if isinstance(size, gc.Tensor):
        raise TypeError(f"a size of a cell's state or output must be known when the graph is built, but is {size!r}")
    return [int(size)]


def zeros(batch_size: Any, size: Any, dtype: Any) -> gc.Tensor:
    """[batch_size, *size] zeros; batch_size may be a number or a tensor of one element."""
    if isinstance(batch_size, gc.Tensor):
        batch = gc.reshape(batch_size, []) if batch_size.shape.ndims != 0 else batch_size
        batch = gc.cast(batch, gc.int32)
        return gc.zeros(gc.stack([batch, *sizes_of(size)]), dtype)
    known = gc.TensorShape([batch_size]).as_list()[0]
    if known is None:
        raise ValueError("the batch size of a state of zeros must be a number or a tensor, but is an unknown "
                         "Dimension; give gc.shape(inputs)[0]")
    return gc.zeros([known, *sizes_of(size)], dtype)


def batch_size_of(inputs: Any, axis: int) -> Any:
    """The size along `axis` of the nested inputs: a number if one of them tells it, else a scalar tensor."""
    leaves = flatten(inputs)
    for leaf in leaves:
        if leaf.shape.ndims is None:
            continue
        if leaf.shape.ndims <= axis:
            raise ValueError(f"Expected input tensor {leaf.name} to have rank at least {axis + 1}, but its shape is "
                             f"{leaf.shape}")
        if leaf.shape[axis].value is not None:
            return leaf.shape[axis].value
    return gc.shape(leaves[0])[axis]


def state_dtype(given: Any, state: Any) -> Any:
    """`given`, or the one dtype of all tensors of a state. Raises ValueError if they have several."""
    if given is not None:
        return given
    found = {tensor.dtype for tensor in flatten(state)}
    if len(found) != 1:
        names = sorted(dtype.name for dtype in found)
        raise ValueError(f"State has tensors of different dtypes ({', '.join(names)}): give dtype, that of the outputs")
    return found.pop()


@public("compat.v1.python.ops.rnn_cell_impl._zero_state_tensors")
def zero_state_tensors(state_size: Any, batch_size: Any, dtype: Any) -> Any:
    """Zeros of dtype in the form of state_size, a nest of sizes or shapes: [batch_size, size] each.

    As `rnn_cell_impl._zero_state_tensors` of TensorFlow 1.15.

    >>> state = gc.compat.v1.python.ops.rnn_cell_impl._zero_state_tensors((2, [3, 4]), 5, gc.float32)
    >>> [part.shape.as_list() for part in gc.nest.flatten(state)]
    [[5, 2], [5, 3], [5, 4]]
    """
    return map_structure(lambda size: zeros(batch_size, size, dtype), state_size)


@public("compat.v1.python.ops.rnn_cell_impl.assert_like_rnncell")
def assert_like_rnncell(argument: str, cell: Any) -> None:
    """Raises TypeError unless `cell` has what a cell must have. As `rnn_cell_impl.assert_like_rnncell`.

    >>> gc.compat.v1.python.ops.rnn_cell_impl.assert_like_rnncell("cell", gc.nn.rnn_cell.GRUCell(3))
    """
    missing = [f"'{name}' property is missing" for name in ("output_size", "state_size") if not hasattr(cell, name)]
    if not hasattr(cell, "zero_state") and not hasattr(cell, "get_initial_state"):
        missing.append("either 'zero_state' or 'get_initial_state' method is required")
    if not callable(cell):
        missing.append("is not callable")
    if missing:
        raise TypeError(f"The argument {argument!r} ({cell}) is not an RNNCell: {', '.join(missing)}.")


def initial_state_of(cell: Any, initial_state: Any, batch_size: Any, dtype: Any) -> Any:
    """The given initial state, or the cell's own for this batch size."""
    if initial_state is not None:
        return map_structure(lambda part: part if isinstance(part, gc.TensorArray) else gc.convert_to_tensor(part),
                             initial_state)
    if not dtype:
        raise ValueError("If there is no initial_state, you must give a dtype.")
    if getattr(cell, "get_initial_state", None) is not None:
        return cell.get_initial_state(inputs=None, batch_size=batch_size, dtype=dtype)
    return cell.zero_state(batch_size, dtype)
