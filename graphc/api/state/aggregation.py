"""How copies of a variable on several devices would be kept together: there is one device."""
from __future__ import annotations

from enum import Enum

from graphc.api.public import public


@public("VariableSynchronization")
class VariableSynchronization(Enum):
    """When copies of a variable would be brought together: AUTO, NONE, ON_WRITE or ON_READ.

    There is one copy here. ON_READ makes a variable untrainable by default, and trainable=True with it a ValueError;
    the others change nothing. As `tf.VariableSynchronization`.

    >>> v = gc.Variable(1., synchronization=gc.VariableSynchronization.ON_READ)
    >>> v.trainable
    False
    """

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


@public("VariableAggregation")
class VariableAggregation(Enum):
    """How copies of a variable would be brought together: NONE, SUM, MEAN or ONLY_FIRST_REPLICA.

    There is one copy here: it changes nothing. As `tf.VariableAggregation`.

    >>> gc.Variable(1., aggregation=gc.VariableAggregation.MEAN).aggregation.name
    'MEAN'
    """

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3


def trainable_by_default(trainable: bool | None, synchronization: VariableSynchronization | None) -> bool:
    """Raises ValueError for a trainable variable that is brought together only when it is read."""
    on_read = synchronization == VariableSynchronization.ON_READ
    if on_read and trainable:
        raise ValueError("Synchronization value can be set to VariableSynchronization.ON_READ only for non-trainable "
                         "variables. You have specified trainable=True and synchronization="
                         "VariableSynchronization.ON_READ.")
    return not on_read if trainable is None else bool(trainable)
