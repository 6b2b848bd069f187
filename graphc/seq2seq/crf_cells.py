"""The steps of linear-chain conditional random fields as cells, for dynamic_rnn: `tf.contrib.crf`'s three cells.

gc.contrib.crf's functions need none of them. transition_params[i, j]: the score of tag j after tag i.
"""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.rnn.cell import RNNCell


class _OfTransitions(RNNCell):
    def __init__(self, transition_params: Any) -> None:
        super().__init__()
        self._transitions = gc.expand_dims(transition_params, 0)
        self._tags = self._transitions.shape[1].value

    state_size = property(lambda self: self._tags, doc="The number of tags.")
    output_size = property(lambda self: self._tags, doc="The number of tags.")

    def _ahead(self, state: Any) -> Any:
        """[batch, tag, next tag]: the score of every step on."""
        return gc.expand_dims(state, 2) + self._transitions


@public("contrib.crf.CrfForwardRnnCell")
class CrfForwardRnnCell(_OfTransitions):
    """State and output: of each tag the logarithm of the sum of exp(score) over all ways to it.

    transition_params: [tags, tags], from the one of the row to the one of the column. Inputs: scores [batch, tags].
    Raises ValueError if the numbers of tags differ. As `tf.contrib.crf.CrfForwardRnnCell`.

    >>> cell = gc.contrib.crf.CrfForwardRnnCell(gc.zeros([2, 2]))
    >>> output, state = cell(gc.constant([[1., 3.]]), gc.zeros([1, 2]))
    >>> output.eval()                            # each with log(2) added
    array([[1.6931, 3.6931]], dtype=float32)
    """

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        alphas = inputs + gc.reduce_logsumexp(self._ahead(state), [1])
        return alphas, alphas


@public("contrib.crf.CrfDecodeForwardRnnCell")
class CrfDecodeForwardRnnCell(_OfTransitions):
    """State: of each tag the score of the best way to it; output: int32, the tag before it on that way.

    transition_params: [tags, tags], from the one of the row to the one of the column. Inputs: scores [batch, tags].
    Raises ValueError if the numbers of tags differ. As `tf.contrib.crf.CrfDecodeForwardRnnCell`.

    >>> cell = gc.contrib.crf.CrfDecodeForwardRnnCell(gc.constant([[0., 0.], [2., 0.]]))
    >>> before, scores = cell(gc.constant([[1., 1.]]), gc.constant([[0., 1.]]))
    >>> before.eval(), scores.eval()
    (array([[1, 1]], dtype=int32), array([[4., 2.]], dtype=float32))
    """

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        ahead = self._ahead(state)
        return gc.cast(gc.argmax(ahead, 1), gc.int32), inputs + gc.reduce_max(ahead, [1])


@public("contrib.crf.CrfDecodeBackwardRnnCell")
class CrfDecodeBackwardRnnCell(RNNCell):
    """Output and state [batch, 1]: the tag before that of the state, by inputs [batch, tags], what
    CrfDecodeForwardRnnCell gave. num_tags has no effect.

    Both are int32: TypeError for floats; ValueError for a state of another rank. As
    `tf.contrib.crf.CrfDecodeBackwardRnnCell`.

    >>> cell = gc.contrib.crf.CrfDecodeBackwardRnnCell(2)
    >>> before, state = cell(gc.constant([[1, 0]]), gc.constant([[0]]))      # the best tag before tag 0 is 1
    >>> before.eval()
    array([[1]], dtype=int32)
    """

    def __init__(self, num_tags: Any) -> None:
        super().__init__()
        self._num_tags = num_tags

    state_size = property(lambda self: 1)
    output_size = property(lambda self: 1)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        places = gc.stack([gc.range(gc.shape(inputs)[0]), gc.squeeze(state, axis=[1])], axis=1)
        tags = gc.expand_dims(gc.gather_nd(inputs, places), axis=-1)
        return tags, tags
