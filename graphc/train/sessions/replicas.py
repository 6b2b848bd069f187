"""replica_device_setter: a device function that puts variables on the tasks of a job, in turn."""
from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import graphc as gc
from graphc.api.public import public
from graphc.train.sessions.log import LOG

STANDARD_PS_OPS = ("Variable", "VariableV2", "AutoReloadVariable", "MutableHashTable", "MutableHashTableV2",
                   "MutableHashTableOfTensors", "MutableHashTableOfTensorsV2", "MutableDenseHashTable",
                   "MutableDenseHashTableV2", "VarHandleOp")


@public("train.replica_device_setter")
def replica_device_setter(ps_tasks: int = 0, ps_device: str = "/job:ps", worker_device: str = "/job:worker",
                          merge_devices: bool = True, cluster: Any = None, ps_ops: Sequence[str] | None = None,
                          ps_strategy: Callable[[Any], int] | None = None) -> Callable[[Any], str] | None:
    """A function for gc.device, or None if there are no tasks for variables, as `tf.train.replica_device_setter`. The
    devices are recorded on the operations; all of them run in this process.

    Raises TypeError if ps_strategy is no function, or cluster makes no ClusterSpec.

    >>> with gc.device(gc.train.replica_device_setter(ps_tasks=2)):
    ...     first, second = gc.Variable(1.), gc.Variable(2.)
    ...     total = first + second
    >>> first.device, second.device, total.device
    ('/job:ps/task:0', '/job:ps/task:1', '/job:worker')
    """
    ps = gc.DeviceSpec.from_string(ps_device)
    if cluster is not None:
        tasks = gc.train.ClusterSpec(cluster).as_dict()
        ps_tasks = len(tasks.get(ps.job, ()))
    if ps_tasks == 0:
        return None
    if not merge_devices:
        LOG.warning("DEPRECATION: It is recommended to set merge_devices=true in replica_device_setter")
    strategy = _in_turn(ps_tasks) if ps_strategy is None else ps_strategy
    if not callable(strategy):
        raise TypeError("ps_strategy must be callable")
    placed = tuple(STANDARD_PS_OPS if ps_ops is None else ps_ops)
    worker = gc.DeviceSpec.from_string(worker_device)

    def device_of(operation: Any) -> str:
        if not merge_devices and operation.device:
            return str(operation.device)
        inner = gc.DeviceSpec.from_string(operation.device)
        own = worker
        if ps_device and operation.type in placed:
            own = ps
            if ps.job and inner.job in (None, ps.job):
                own = ps.replace(task=strategy(operation))
        return own.make_merged_spec(inner).to_string()

    return device_of


def _in_turn(tasks: int) -> Callable[[Any], int]:
    following = itertools.cycle(range(tasks))
    return lambda operation: next(following)


@public("contrib.training.RandomStrategy")
class RandomStrategy:
    """A ps_strategy that draws tasks, the same ones for a seed. As `tf.contrib.training.RandomStrategy`.

    num_ps: an int, at least 1 (ValueError when it is called).

    >>> strategy = gc.contrib.training.RandomStrategy(4, seed=1)
    >>> operation = gc.no_op()
    >>> all(0 <= strategy(operation) < 4 for _ in range(9))
    True
    """

    def __init__(self, num_ps: int, seed: int = 0) -> None:
        self._num_ps, self._numbers = num_ps, np.random.RandomState(seed)

    def __call__(self, op: Any) -> int:
        return int(self._numbers.randint(self._num_ps))


@public("contrib.training.GreedyLoadBalancingStrategy")
class GreedyLoadBalancingStrategy:
    """A ps_strategy that takes the task with the least load so far. As
    `tf.contrib.training.GreedyLoadBalancingStrategy`.

    load_fn: the load of an operation, such as byte_size_load_fn. num_tasks: an int, at least 1 (ValueError when it is
    called).

    >>> strategy = gc.contrib.training.GreedyLoadBalancingStrategy(2, gc.contrib.training.byte_size_load_fn)
    >>> with gc.device(gc.train.replica_device_setter(ps_tasks=2, ps_strategy=strategy)):
    ...     variables = [gc.get_variable(name, [size]) for name, size in (("large", 9), ("small", 2), ("third", 3))]
    >>> [v.device for v in variables]
    ['/job:ps/task:0', '/job:ps/task:1', '/job:ps/task:1']
    """

    def __init__(self, num_tasks: int, load_fn: Callable[[Any], float]) -> None:
        self._loads = np.zeros(num_tasks)
        self._load_fn = load_fn

    def __call__(self, op: Any) -> int:
        task = int(np.argmin(self._loads))
        self._loads[task] += self._load_fn(op)
        return task


@public("contrib.training.byte_size_load_fn")
def byte_size_load_fn(op: Any) -> int:
    """The bytes of the operation's one output, whose shape must be known. As `tf.contrib.training.byte_size_load_fn`.

    Raises ValueError if it has several outputs, or the shape is not known.

    >>> gc.contrib.training.byte_size_load_fn(gc.zeros([3, 4]).op)
    48
    """
    if len(op.outputs) != 1:
        raise ValueError(f"Op {op.name} must have a single output, but has {len(op.outputs)}")
    output = op.outputs[0]
    output.shape.assert_is_fully_defined()
    return int(output.shape.num_elements() * output.dtype.size)
