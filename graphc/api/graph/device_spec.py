"""DeviceSpec: the parts of a device's name."""
from __future__ import annotations

from typing import Any

from graphc.api.public import public
from graphc.ir.device import merge_devices
from graphc.ir.graph import Graph

_PARTS = ("job", "replica", "task", "device_type", "device_index")


@public("DeviceSpec")
class DeviceSpec:
    """The parts of a device's name: job, replica, task, device_type, device_index; None leaves a part open.

    job and device_type are strings, the others ints or texts of such, else ValueError. As `tf.DeviceSpec`.

    >>> spec = gc.DeviceSpec(job="worker", device_type="GPU", device_index=0)
    >>> spec.to_string()
    '/job:worker/device:GPU:0'
    >>> spec.make_merged_spec(gc.DeviceSpec.from_string("/task:1/cpu:2")).to_string()
    '/job:worker/task:1/device:CPU:2'
    """

    def __init__(self, job: Any = None, replica: Any = None, task: Any = None, device_type: Any = None,
                 device_index: Any = None) -> None:
        self.job = None if job is None else str(job)
        self.replica = None if replica is None else int(replica)
        self.task = None if task is None else int(task)
        self.device_type = device_type.upper() if device_type in ("cpu", "gpu") else device_type
        self.device_index = None if device_index is None else int(device_index)

    @staticmethod
    def from_string(spec: str | None) -> DeviceSpec:
        """Of "/job:ps/replica:0/task:0/device:CPU:0", or of parts of it. Raises ValueError for what is no such name."""
        return DeviceSpec().parse_from_string(spec)

    def parse_from_string(self, spec: str | None) -> DeviceSpec:
        """Takes all parts from the text."""
        found = dict(part.split(":", 1) for part in merge_devices([spec or ""]).split("/") if part)
        kind, _, index = found.pop("device", "").partition(":")
        self.__init__(**found, device_type=kind or None,  # type: ignore[misc]
                      device_index=None if index in ("", "*") else index)
        return self

    def to_string(self) -> str:
        """In the form that from_string reads."""
        parts = [f"/{name}:{getattr(self, name)}" for name in _PARTS[:3] if getattr(self, name) is not None]
        if self.device_type is not None:
            parts.append(f"/device:{self.device_type}:{'*' if self.device_index is None else self.device_index}")
        return "".join(parts)

    def merge_from(self, dev: DeviceSpec) -> None:
        """Takes the parts that `dev` says."""
        for name in _PARTS:
            if getattr(dev, name) is not None:
                setattr(self, name, getattr(dev, name))

    def make_merged_spec(self, dev: DeviceSpec) -> DeviceSpec:
        """A new one: the parts that `dev` says, the others from this one."""
        made = self.replace()
        made.merge_from(dev)
        return made

    def replace(self, **parts: Any) -> DeviceSpec:
        """A new one with other parts."""
        return DeviceSpec(**{**{name: getattr(self, name) for name in _PARTS}, **parts})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeviceSpec) and self.to_string() == other.to_string()

    def __hash__(self) -> int:
        return hash(self.to_string())

    def __repr__(self) -> str:
        return f"<DeviceSpec({', '.join(f'{name}={getattr(self, name)}' for name in _PARTS)})>"


def tell_device(graph: Graph, op: Any) -> None:
    """Calls op._set_device with the DeviceSpec of the device scopes that are open in the graph, if there are any.

    As `Graph._apply_device_functions`, by which libraries learn the device that the next operation would get.
    """
    if place := graph.device_in_scope():
        op._set_device(DeviceSpec.from_string(place))
