"""The shapes of beam search: a batch of beams as one long batch and back, and rows picked per batch entry."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public


@public("contrib.seq2seq.tile_batch")
def tile_batch(t: Any, multiplier: int, name: str | None = None) -> Any:
    """Each entry of the batch `multiplier` times, one after the other: a, a, b, b, ...; of nested tensors.

    t: of any dtype, [batch, ...]. Raises ValueError for a tensor whose rank is 0 or not known and a negative
    multiplier, TypeError for a broken one. As `tf.contrib.seq2seq.tile_batch`.

    >>> gc.contrib.seq2seq.tile_batch(gc.constant([[1, 2], [3, 4]]), 2).eval()
    array([[1, 2],
           [1, 2],
           [3, 4],
           [3, 4]], dtype=int32)
    """
    with gc.name_scope(name, "tile_batch", [*gc.nest.flatten(t), multiplier]):
        return gc.nest.map_structure(lambda tensor: _tiled(tensor, multiplier), t)


def _tiled(tensor: Any, multiplier: int) -> gc.Tensor:
    tensor = gc.convert_to_tensor(tensor, name="t")
    if tensor.shape.ndims is None or tensor.shape.ndims < 1:
        raise ValueError(f"tile_batch: t must have statically known rank, and at least one axis, but {tensor.name} has "
                         f"the shape {tensor.shape}")
    sizes, batch = gc.shape(tensor), tensor.shape[0].value
    tiled = gc.tile(gc.expand_dims(tensor, 1), [1, multiplier] + [1] * (tensor.shape.ndims - 1))
    tiled = gc.reshape(tiled, gc.concat(([sizes[0] * multiplier], sizes[1:]), 0))
    tiled.set_shape(gc.TensorShape([None if batch is None else batch * multiplier]).concatenate(tensor.shape[1:]))
    return tiled


def require_rank(tensor: Any) -> int:
    """Raises ValueError if the rank is not known."""
    rank = tensor.shape.ndims
    if rank is None:
        raise ValueError(f"Expected tensor ({tensor}) to have known rank, but ndims == None.")
    return rank


class Beams:
    """batch_size: a scalar tensor; width: a Python integer."""

    def __init__(self, batch_size: Any, width: int) -> None:
        self.batch_size = batch_size
        self.width = width
        known = gc.get_static_value(batch_size)
        self.static_batch = None if known is None else int(known)

    def merge(self, tensor: Any, rest: Any) -> gc.Tensor:
        """[batch, width, *rest] as [batch * width, *rest]."""
        sizes = gc.shape(tensor)
        merged = gc.reshape(tensor, gc.concat(([self.batch_size * self.width], sizes[2:]), 0))
        count = None if self.static_batch is None else self.static_batch * self.width
        merged.set_shape(gc.TensorShape([count]).concatenate(_shape(rest)))
        return merged

    def split(self, tensor: Any, rest: Any) -> gc.Tensor:
        """[batch * width, *rest] as [batch, width, *rest]. Raises ValueError if the sizes tell that it is not so."""
        sizes = gc.shape(tensor)
        parted = gc.reshape(tensor, gc.concat(([self.batch_size, self.width], sizes[1:]), 0))
        expected = gc.TensorShape([self.static_batch, self.width]).concatenate(_shape(rest))
        if not parted.shape.is_compatible_with(expected):
            raise ValueError("Unexpected behavior when reshaping between beam width and batch size.  The reshaped "
                             f"tensor has shape: {parted.shape}.  We expected it to have shape (batch_size, "
                             f"beam_width, depth) == {expected}.  Perhaps you forgot to create a zero_state with "
                             "batch_size=encoder_batch_size * beam_width?")
        parted.set_shape(expected)
        return parted

    def merge_state(self, tensor: Any, size: Any) -> Any:
        """`merge` of a part of a state; arrays, and what has less than two axes, as they are."""
        return tensor if isinstance(tensor, gc.TensorArray) or require_rank(tensor) < 2 else self.merge(tensor, size)

    def split_state(self, tensor: Any, size: Any) -> Any:
        """`split` of a part of a state; arrays and scalars as they are."""
        return tensor if isinstance(tensor, gc.TensorArray) or require_rank(tensor) < 1 else self.split(tensor, size)

    def pick(self, tensor: Any, beams: Any, count: Any, name: str | None = None) -> gc.Tensor:
        """tensor [batch, count, ...] at the indices `beams` [batch, width] of each entry: [batch, width, ...]."""
        with gc.name_scope(name, "tensor_gather_helper"):
            sizes, static = gc.shape(tensor), tensor.shape
            rows = gc.reshape(tensor, gc.concat(([self.batch_size * count], sizes[2:]), 0))
            begin = gc.expand_dims(gc.range(self.batch_size) * count, 1)
            picked = gc.gather(rows, gc.reshape(beams + begin, [-1]))
            picked = gc.reshape(picked, gc.concat((gc.shape(beams), sizes[2:]), 0), name="output")
            picked.set_shape(gc.TensorShape([self.static_batch, self.width]).concatenate(static[2:]))
            return picked

    def pick_state(self, tensor: Any, beams: Any) -> Any:
        """`pick` of a part of a state; arrays, and what has less than two axes, as they are."""
        if isinstance(tensor, gc.TensorArray) or require_rank(tensor) < 2:
            return tensor
        return self.pick(tensor, beams, self.width)


def _shape(rest: Any) -> gc.TensorShape:
    """Sizes as a shape: a number, a shape, or a tensor, whose value may not be known."""
    return gc.TensorShape(gc.get_static_value(rest) if isinstance(rest, gc.Tensor) else rest)
