"""Labels of connectionist temporal classification without their repetitions."""
from __future__ import annotations

from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import ones_like, range_
from graphc.api.array.gather import boolean_mask
from graphc.api.array.grids import sequence_mask
from graphc.api.array.join import concat, stack
from graphc.api.array.pad import pad
from graphc.api.array.scatter import scatter_nd
from graphc.api.array.shapes import expand_dims, reshape, shape, size
from graphc.api.control.functional import map_fn
from graphc.api.math.comparison import logical_and, not_equal
from graphc.api.math.reduce import reduce_max, reduce_sum
from graphc.api.math.sort import unique
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import bool_, int32, int64
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor


@public("nn.collapse_repeated")
def collapse_repeated(labels: Any, seq_length: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """(labels without those equal to the one before, after them zeros; int[batch]: how many are left), row by row.

    labels: [batch, places]; seq_length: int[batch], how many of each row count. The result is as long as its longest
    row. labels: of any dtype. Raises ValueError for a vector and for another number of lengths. As
    `tf.nn.collapse_repeated`.

    >>> labels, lengths = gc.nn.collapse_repeated([[1, 1, 2, 2, 1], [4, 5, 5, 5, 9]], [5, 4])
    >>> labels.eval(), lengths.eval()
    (array([[1, 2, 1],
           [4, 5, 0]], dtype=int32), array([3, 2], dtype=int32))
    """
    with get_default_graph().name_scope(name or "collapse_repeated_labels"):
        labels = convert_to_tensor(labels, name="labels")
        lengths = convert_to_tensor(seq_length, name="seq_length")
        first = concat([ones_like(labels[:, :1], bool_), not_equal(labels[:, 1:], labels[:, :-1])], axis=1)
        kept = logical_and(first, sequence_mask(lengths, maxlen=shape(labels)[1]))
        counts = reduce_sum(cast(kept, int32), axis=1)
        longest = reduce_max(counts)
        filled = reshape(sequence_mask(counts, maxlen=longest), [-1])
        places = boolean_mask(range_(size(filled)), filled)
        flat = scatter_nd(expand_dims(places, 1), boolean_mask(labels, kept), shape(filled))
        return reshape(flat, stack([shape(labels)[0], longest])), cast(counts, lengths.dtype)


@public("nn.ctc_unique_labels")
def ctc_unique_labels(labels: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """(int64: the different labels of each row, after them zeros; int32: the place of each label among them).

    labels: int[batch, places], as both results are. Raises ValueError for a vector. As `tf.nn.ctc_unique_labels`.

    >>> values, places = gc.nn.ctc_unique_labels([[7, 3, 7], [2, 2, 2]])
    >>> values.eval(), places.eval()
    (array([[7, 3, 0],
           [2, 0, 0]]), array([[0, 1, 0],
           [0, 0, 0]], dtype=int32))
    """
    with get_default_graph().name_scope(name or "ctc_unique_labels"):
        labels = convert_to_tensor(labels, name="labels")

        def of_row(row: Tensor) -> tuple[Tensor, Tensor]:
            found, places = unique(row)
            return cast(pad(found, [[0, size(places) - size(found)]]), int64), places

        values, indices = map_fn(of_row, labels, dtype=(int64, int32))
        return values, indices
