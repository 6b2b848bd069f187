"""The devices that there are, as messages."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphc.api.public import public
from graphc.ir.late_imports import load

if TYPE_CHECKING:
    from graphc.serial.run_metadata_pb2 import DeviceAttributes

CPU = "/job:localhost/replica:0/task:0/device:CPU:0"       # what runs use
MEMORY_LIMIT = 256 << 20       # what TensorFlow says of every CPU


@public("compat.v1.python.client.device_lib.list_local_devices")
def list_local_devices(session_config: Any = None) -> list[DeviceAttributes]:
    """The CPU and, if there is one, the GPU, as `device_lib.list_local_devices`. session_config changes nothing.

    >>> from graphc.compat.v1.python.client import device_lib
    >>> device_lib.list_local_devices()[0].device_type
    'CPU'
    """
    kind = load("graphc.serial.run_metadata_pb2").DeviceAttributes
    found = [kind(name="/device:CPU:0", device_type="CPU", memory_limit=MEMORY_LIMIT, locality={}, incarnation=1)]
    gpu = gpu_of_machine()
    if gpu is not None:
        described = f"device: 0, name: {gpu.name}, compute capability: {gpu.compute // 10}.{gpu.compute % 10}"
        found.append(kind(name="/device:GPU:0", device_type="GPU", memory_limit=gpu.memory, locality={}, incarnation=1,
                          physical_device_desc=described))
    return found


def gpu_of_machine() -> Any:
    """The machine's GPU (exec/cuda/driver.py), None if there is none."""
    from graphc.exec.cuda.driver import find_device

    return find_device()


@public("compat.v1.config.experimental.list_physical_devices", "compat.v1.config.experimental.list_logical_devices",
        "compat.v1.config.list_physical_devices", "compat.v1.config.list_logical_devices")
def list_physical_devices(device_type: str | None = None) -> list[DeviceAttributes]:
    """The CPU and, if there is one, the GPU, as `tf.config.experimental.list_physical_devices`.

    device_type: "CPU" or "GPU", those only.

    >>> import graphc.compat.v1 as tf
    >>> [device.device_type for device in tf.config.experimental.list_physical_devices("CPU")]
    ['CPU']
    """
    kind = load("graphc.serial.run_metadata_pb2").DeviceAttributes
    there = ["CPU"] if gpu_of_machine() is None else ["CPU", "GPU"]
    return [kind(name=f"/physical_device:{name}:0", device_type=name) for name in there if device_type in (None, name)]
