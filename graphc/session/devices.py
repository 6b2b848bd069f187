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
    """The CPU, as `device_lib.list_local_devices`. session_config changes nothing: sessions run on the CPU."""
    kind = load("graphc.serial.run_metadata_pb2").DeviceAttributes
    return [kind(name="/device:CPU:0", device_type="CPU", memory_limit=MEMORY_LIMIT, locality={}, incarnation=1)]


@public("compat.v1.config.experimental.list_physical_devices", "compat.v1.config.experimental.list_logical_devices",
        "compat.v1.config.list_physical_devices", "compat.v1.config.list_logical_devices")
def list_physical_devices(device_type: str | None = None) -> list[DeviceAttributes]:
    """The CPU, unless another type is asked for. As `tf.config.experimental.list_physical_devices`."""
    if device_type not in (None, "CPU"):
        return []
    kind = load("graphc.serial.run_metadata_pb2").DeviceAttributes
    return [kind(name="/physical_device:CPU:0", device_type="CPU")]
