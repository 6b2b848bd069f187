"""replica_device_setter: a device function that puts variables on the tasks of a job, in turn."""
from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

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

    Raises TypeError if ps_strategy is no function.
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
