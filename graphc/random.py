"""gc.random: as `tf.random`."""
from __future__ import annotations

from graphc.ops.random import random_normal as normal
from graphc.ops.random import random_uniform as uniform
from graphc.ops.random import set_random_seed, truncated_normal

__all__ = ["normal", "set_random_seed", "truncated_normal", "uniform"]
