"""What max pooling asks of the elements of one channel in a window, as IR for vectors or scalars.

A NaN is greater than every number, and the first one of a window counts, as in TensorFlow.
"""
from __future__ import annotations


def greater(builder, best, value):
    """The greater one, the first of equals; NaN if one is. One `max` of the machine, and a choice that does not wait
    for it."""
    greatest = builder.select(builder.fcmp_ordered(">", value, best), value, best)
    return builder.select(builder.fcmp_unordered("uno", value, value), value, greatest)


def is_greatest(builder, value, greatest):
    """Whether the value is a window's greatest, which is NaN if one is."""
    return builder.or_(builder.fcmp_ordered("==", value, greatest), builder.fcmp_unordered("uno", value, value))
