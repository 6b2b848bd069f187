"""Labels of sequences, for the losses of connectionist temporal classification."""
from __future__ import annotations

from graphc.api.array.cast import cast
from graphc.api.array.fill import ones
from graphc.api.array.gather import boolean_mask, where
from graphc.api.array.grids import sequence_mask
from graphc.api.array.join import concat, stack
from graphc.api.array.pad import pad
from graphc.api.array.scatter import scatter_nd
from graphc.api.array.shapes import shape
from graphc.api.control.functional import map_fn
from graphc.api.math.comparison import logical_and, not_equal
from graphc.api.math.reduce import reduce_max, reduce_sum
from graphc.api.math.sort import unique
from graphc.api.public import public
from graphc.ir.apply import convert_to_tensor
from graphc.ir.dtypes import bool_, int32, int64
from graphc.ir.graph import get_default_graph


@public("nn.collapse_repeated")
def collapse_repeated(labels, seq_length, name=None):
    """(labels [batch, places] without those that repeat the one before, padded with 0; how many are left), as
    `tf.nn.collapse_repeated`."""
    with get_default_graph().name_scope(name or "collapse_repeated_labels"):
        labels, seq_length = convert_to_tensor(labels, name="labels"), convert_to_tensor(seq_length, name="seq_length")
        batch, places = shape(labels)[0], shape(labels)[1]
        new = concat([ones(stack([batch, 1]), bool_), not_equal(labels[:, 1:], labels[:, :-1])], axis=1)
        kept = logical_and(new, sequence_mask(seq_length, maxlen=places))
        lengths = reduce_sum(cast(kept, int32), axis=1)
        longest = reduce_max(lengths)
        targets = where(sequence_mask(lengths, maxlen=longest))
        return scatter_nd(targets, boolean_mask(labels, kept), cast(stack([batch, longest]), int64)), lengths


@public("nn.ctc_unique_labels")
def ctc_unique_labels(labels, name=None):
    """(the different labels of each row, padded with 0; for each label its number among them), as
    `tf.nn.ctc_unique_labels`."""
    with get_default_graph().name_scope(name or "ctc_unique_labels"):
        labels = convert_to_tensor(labels, name="labels")

        def one(row):
            found, places = unique(row)
            missing = shape(places)[0] - shape(found)[0]
            return [cast(pad(found, stack([stack([0, missing])])), int64), places]

        return map_fn(one, labels, dtype=[int64, int32])
