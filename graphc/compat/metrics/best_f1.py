"""contrib.metrics.f1_score: the best F1 score of all thresholds."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import graphc as gc
from graphc.api.public import public

_EPSILON = 1e-7      # keeps divisions from 0 / 0, and the outer thresholds beyond 0 and 1


@public("compat.v1.contrib.metrics.f1_score")
def f1_score(labels: Any, predictions: Any, weights: Any = None, num_thresholds: int = 200,
             metrics_collections: Sequence[Any] | None = None, updates_collections: Sequence[Any] | None = None,
             name: str | None = None) -> tuple[Any, Any]:
    """The F1 score at the best of num_thresholds thresholds from 0 to 1, as `tf.contrib.metrics.f1_score`.

    (value, update): float32 scalars of all batches so far. labels: bools, or what casts to them; predictions: numbers
    from 0 to 1, others end the run with InvalidArgumentError. Raises ValueError if shapes differ or weights do not
    broadcast, TypeError for strings.

    >>> value, update = gc.compat.v1.contrib.metrics.f1_score(labels=[1, 1, 0, 0], predictions=[0.9, 0.4, 0.6, 0.1])
    >>> gc.local_variables_initializer().run()
    >>> update.eval()
    np.float32(0.8)
    """
    inner = [i / (num_thresholds - 1) for i in range(1, num_thresholds - 1)]
    given = (labels, predictions, [-_EPSILON, *inner, 1 + _EPSILON], weights)
    with gc.variable_scope(name, "f1", (labels, predictions, weights)):
        counts = [count(*given) for count in (gc.metrics.true_positives_at_thresholds,
                                              gc.metrics.false_positives_at_thresholds,
                                              gc.metrics.false_negatives_at_thresholds)]
        value, update = (_best(*kind) for kind in zip(*counts, strict=True))
    for made, collections in ((value, metrics_collections), (update, updates_collections)):
        gc.add_to_collections(collections or (), made)
    return value, update


def _best(hits: Any, wrong: Any, missed: Any) -> Any:
    precision, recall = hits / (_EPSILON + hits + wrong), hits / (_EPSILON + hits + missed)
    return gc.reduce_max(2. * precision * recall / (precision + recall + _EPSILON))
