"""How copies of a variable on several devices would be kept together: there is one device."""
from __future__ import annotations

from enum import Enum

from graphc.api.public import public


@public("VariableSynchronization")
class VariableSynchronization(Enum):
    """As `tf.VariableSynchronization`. What it changes here is whether a variable is trainable by default."""

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


@public("VariableAggregation")
class VariableAggregation(Enum):
    """As `tf.VariableAggregation`. It changes nothing on one device."""

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
