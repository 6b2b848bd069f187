"""Training: optimizers and the global step, as `tf.train`. Built only from public ops."""
from graphc.train.decay import exponential_decay
from graphc.train.files import write_graph
from graphc.train.global_step import (
    assert_global_step,
    create_global_step,
    get_global_step,
    get_or_create_global_step,
    global_step,
)
from graphc.train.optimizer import Optimizer
from graphc.train.optimizers import AdamOptimizer, GradientDescentOptimizer, MomentumOptimizer

__all__ = ["AdamOptimizer", "GradientDescentOptimizer", "MomentumOptimizer", "Optimizer", "assert_global_step",
           "create_global_step", "exponential_decay", "get_global_step", "get_or_create_global_step", "global_step",
           "write_graph"]


def __getattr__(name: str) -> object:
    from graphc.missing import missing

    raise missing("graphc.train", name, globals())
