"""The public losses and decoders of connectionist temporal classification."""
from __future__ import annotations

from typing import Any

from graphc.api.array.cast import cast
from graphc.api.array.fill import range_
from graphc.api.array.gather import boolean_mask, where
from graphc.api.array.join import concat
from graphc.api.array.select import select
from graphc.api.array.shapes import expand_dims, shape
from graphc.api.array.transpose import transpose
from graphc.api.math.comparison import less
from graphc.api.public import public
from graphc.api.sparse.tensor import SparseTensor
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import int32, int64
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Tensor
from graphc.ops.nn.ctc import CTCLoss
from graphc.ops.nn.ctc_decode import CTCBeamSearchDecoder, CTCGreedyDecoder


def _is_sparse(labels: Any) -> bool:
    return all(hasattr(labels, name) for name in ("indices", "values", "dense_shape"))


def _loss(indices: Any, values: Any, logits: Tensor, lengths: Any, time_major: bool, **fields: Any) -> Tensor:
    logits = logits if time_major else transpose(logits, [1, 0, 2])
    indices, values = convert_to_tensor(indices, int64), convert_to_tensor(values, int32)
    lengths = convert_to_tensor(lengths, int32)
    found: Tensor = apply(CTCLoss, logits, indices, values, lengths, **fields)[0]
    return found


@public("nn.ctc_loss")
def ctc_loss(labels, inputs=None, sequence_length=None, preprocess_collapse_repeated=False, ctc_merge_repeated=True,
             ignore_longer_outputs_than_inputs=False, time_major=True, logits=None):
    """float[batch]: -log of the probability of each sequence's labels under logits [time, batch, classes], over all
    paths.

    A path has a class a time step; it means the labels that remain when repetitions are merged and then blanks, the
    last class, dropped.

    Args:
        labels: a SparseTensor of int32, [batch, places]. Dense ones: `gc.nn.ctc_loss_v2`.
        inputs: floats, not normalised; with time_major=False [batch, time, classes]. `logits` is a later name.
        sequence_length: int32[batch], how many steps of each sequence count.
        preprocess_collapse_repeated: merges repeated labels first.
        ctc_merge_repeated: False: repetitions in a path are labels of their own.
        ignore_longer_outputs_than_inputs: sequences whose labels need more steps than there are have loss 0 and no
            gradient, instead of InvalidArgumentError when run.

    As `tf.nn.ctc_loss`. Raises TypeError for dense labels.

    >>> labels = gc.SparseTensor([[0, 0]], [0], [1, 1])
    >>> logits = gc.zeros([2, 1, 2])             # 2 steps, a label and the blank
    >>> loss = gc.nn.ctc_loss(labels, logits, [2])
    >>> gc.exp(-loss).eval()                     # of the 4 paths 3 mean "0": "0 0", "0 -" and "- 0"
    array([0.75], dtype=float32)
    """
    if not _is_sparse(labels):
        raise TypeError("Expected labels (first argument) to be a SparseTensor; dense labels: gc.nn.ctc_loss_v2")
    inputs = convert_to_tensor(inputs if inputs is not None else logits)
    return _loss(labels.indices, labels.values, inputs, sequence_length, time_major,
                 preprocess_collapse_repeated=bool(preprocess_collapse_repeated),
                 ctc_merge_repeated=bool(ctc_merge_repeated),
                 ignore_longer_outputs_than_inputs=bool(ignore_longer_outputs_than_inputs))


@public("nn.ctc_loss_v2")
def ctc_loss_v2(labels, logits, label_length, logit_length, logits_time_major=True, unique=None, blank_index=None,
                name=None):
    """float[batch]: the loss of logits [time, batch, classes] against labels [batch, places], of which label_length
    count.

    labels: int, or a SparseTensor of int32, with which blank_index must be given (ValueError) and label_length is not
    looked at. label_length, logit_length: int[batch]. blank_index: the class that is no label, 0 by default; a negative
    one counts from the end. unique changes no result. As `tf.nn.ctc_loss_v2`. Labels that need more time than there is
    are an InvalidArgumentError when run.

    >>> loss = gc.nn.ctc_loss_v2(labels=[[1, 0]], logits=gc.zeros([2, 1, 2]), label_length=[1], logit_length=[2])
    >>> gc.exp(-loss).eval()
    array([0.75], dtype=float32)
    """
    with get_default_graph().name_scope(name or "ctc_loss"):
        logits = convert_to_tensor(logits, name="logits")
        if _is_sparse(labels):
            if blank_index is None:
                raise ValueError("blank_index must be given when using SparseTensor labels.")
            indices, values = labels.indices, labels.values
        else:
            blank_index = 0 if blank_index is None else blank_index
            labels = convert_to_tensor(labels, name="labels")
            lengths = cast(convert_to_tensor(label_length), int32)
            mask = less(range_(shape(labels)[1]), expand_dims(lengths, 1))
            indices, values = where(mask), boolean_mask(labels, mask)
        values = cast(values, int32)
        logits, values = _blank_last(logits, values, int(blank_index))
        return _loss(indices, values, logits, cast(convert_to_tensor(logit_length), int32), logits_time_major)


def _blank_last(logits: Tensor, values: Tensor, blank: int) -> tuple[Tensor, Tensor]:
    """The blank as the last class, the labels numbered again."""
    classes = logits.shape.as_list()[2]
    if blank < 0:
        if classes is None:
            raise ValueError(f"blank_index {blank} counts from the end: the number of classes must be known")
        blank += classes
    if blank + 1 == classes:
        return logits, values
    logits = concat([logits[:, :, :blank], logits[:, :, blank + 1:], logits[:, :, blank:blank + 1]], axis=2)
    return logits, select(less(values, blank), values, values - 1)


@public("nn.ctc_greedy_decoder")
def ctc_greedy_decoder(inputs, sequence_length, merge_repeated=True):
    """([labels], float[batch, 1]: minus the sum of the greatest logits) of logits [time, batch, classes].

    The most probable class of each step; then repetitions (with merge_repeated) are merged and blanks, the last class,
    dropped. labels is a SparseTensor of int64. sequence_length: int32[batch], at most time (InvalidArgumentError when
    run). Raises TypeError for logits that are no floats, ValueError for another rank or number of lengths. As
    `tf.nn.ctc_greedy_decoder`.

    >>> logits = gc.log(gc.constant([[[.8, .1, .1]], [[.6, .3, .1]], [[.2, .2, .6]], [[.7, .2, .1]]]))
    >>> [labels], score = gc.nn.ctc_greedy_decoder(logits, [4])
    >>> labels.values.eval()                     # 0 0 - 0
    array([0, 0])
    >>> score.eval()
    array([[1.6015]], dtype=float32)
    """
    inputs = convert_to_tensor(inputs, name="inputs")
    lengths = convert_to_tensor(sequence_length, int32, "CTCGreedyDecoder/sequence_length")
    indices, values, sizes, score = apply(CTCGreedyDecoder, inputs, lengths, merge_repeated=bool(merge_repeated))
    return [SparseTensor(indices, values, sizes)], score


@public("nn.ctc_beam_search_decoder")
def ctc_beam_search_decoder(inputs, sequence_length, beam_width=100, top_paths=1, merge_repeated=True):
    """([labels of the most probable paths, best first], logarithms of their probabilities, float[batch, top_paths]).

    inputs: logits [time, batch, classes], the last class being the blank; sequence_length: int32[batch], at most time
    (InvalidArgumentError when run). beam_width: how many prefixes are kept at each step. merge_repeated merges equal
    labels side by side in the result even if a blank was between them. Each element of the list is a SparseTensor of
    int64. Raises TypeError for logits that are no floats, ValueError for another rank or number of lengths, and for a
    top_paths that is not from 1 to beam_width. As `tf.nn.ctc_beam_search_decoder`.

    >>> logits = gc.log(gc.constant([[[.4, .0001, .6]], [[.4, .0001, .6]]]))
    >>> paths, scores = gc.nn.ctc_beam_search_decoder(logits, [2], top_paths=2)
    >>> [path.values.eval() for path in paths]   # "0 0", "0 -", "- 0" are 0.64 together, "- -" 0.36
    [array([0]), array([], dtype=int64)]
    >>> gc.exp(scores).eval()
    array([[0.6399, 0.3599]], dtype=float32)
    """
    top, inputs = int(top_paths), convert_to_tensor(inputs, name="inputs")
    *parts, score = apply(CTCBeamSearchDecoder, inputs, convert_to_tensor(sequence_length, int32),
                          beam_width=int(beam_width), top_paths=top, merge_repeated=bool(merge_repeated))
    return [SparseTensor(*parts[i::top]) for i in range(top)], score


@public("nn.ctc_beam_search_decoder_v2")
def ctc_beam_search_decoder_v2(inputs, sequence_length, beam_width=100, top_paths=1):
    """`ctc_beam_search_decoder` that keeps equal labels side by side. As `tf.nn.ctc_beam_search_decoder_v2`.

    The other arguments, results and errors are those of that.

    >>> logits = 5 * gc.one_hot([[0], [1], [0]], 2)          # 0 - 0
    >>> gc.nn.ctc_beam_search_decoder_v2(logits, [3])[0][0].values.eval()
    array([0, 0])
    >>> gc.nn.ctc_beam_search_decoder(logits, [3])[0][0].values.eval()
    array([0])
    """
    return ctc_beam_search_decoder(inputs, sequence_length, beam_width, top_paths, False)
