"""The devices that there are, as messages."""
from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from graphc.api.public import public
from graphc.errors import InvalidArgumentError, UnimplementedError
from graphc.ir.late_imports import load
from graphc.session.config import Settings, settings_of

if TYPE_CHECKING:
    from graphc.serial.run_metadata_pb2 import DeviceAttributes

CPU = "/job:localhost/replica:0/task:0/device:CPU:0"       # what runs use
GPU = "/job:localhost/replica:0/task:0/device:GPU:{}"
MEMORY_LIMIT = 256 << 20       # what TensorFlow says of every CPU


@public("compat.v1.python.client.device_lib.list_local_devices")
def list_local_devices(session_config: Any = None) -> list[DeviceAttributes]:
    """The CPU and the GPUs, as `device_lib.list_local_devices`. Nothing is reserved on them. session_config: which GPUs
    are visible.

    Raises TypeError if it is no ConfigProto, or None.

    >>> from graphc.compat.v1.python.client import device_lib
    >>> device_lib.list_local_devices()[0].device_type
    'CPU'
    """
    kind = load("graphc.serial.run_metadata_pb2").DeviceAttributes
    found = [kind(name="/device:CPU:0", device_type="CPU", memory_limit=MEMORY_LIMIT, locality={}, incarnation=1)]
    for i, gpu in enumerate(gpus_if_they_work(settings_of(session_config))):
        described = f"device: {i}, name: {gpu.name}, compute capability: {gpu.compute // 10}.{gpu.compute % 10}"
        found.append(kind(name=f"/device:GPU:{i}", device_type="GPU", memory_limit=gpu.memory, locality={},
                          incarnation=1, physical_device_desc=described))
    return found


def visible_gpus(settings: Settings) -> list[Any]:
    """The machine's GPUs (exec/cuda/driver.py) that a session with these settings may use, in its order.

    Raises InvalidArgumentError if the settings name one that is not there.
    """
    from graphc.exec.cuda.driver import find_devices

    found: list[Any] = list(find_devices())
    if settings.visible_gpus is not None and found:
        missing = [number for number in settings.visible_gpus if not 0 <= number < len(found)]
        if missing:
            raise InvalidArgumentError(f"GPUOptions.visible_device_list names GPU {missing[0]}, but this machine has "
                                       f"{len(found)}: numbers from 0 to {len(found) - 1} may stand there")
        found = [found[number] for number in settings.visible_gpus]
    for gpu in found if settings.gpu_memory_fraction else ():
        gpu.limit = int(settings.gpu_memory_fraction * gpu.memory)
    return found


def gpus_if_they_work(settings: Settings) -> list[Any]:
    """The same for who has not asked for a GPU: none, and a warning that says why, if the driver does not work.

    Raises InvalidArgumentError as visible_gpus.
    """
    from graphc.exec.cuda.driver import CudaError

    try:
        return visible_gpus(settings)
    except (CudaError, UnimplementedError) as error:
        warnings.warn(f"graphc: this machine's GPUs cannot be used: {error}. Runs happen on the CPU; "
                      "ConfigProto(device_count={'GPU': 0}) asks for no GPU", stacklevel=3)
        return []


@public("compat.v1.config.experimental.list_physical_devices", "compat.v1.config.experimental.list_logical_devices",
        "compat.v1.config.list_physical_devices", "compat.v1.config.list_logical_devices")
def list_physical_devices(device_type: str | None = None) -> list[DeviceAttributes]:
    """The CPU and the GPUs, as `tf.config.experimental.list_physical_devices`.

    device_type: "CPU" or "GPU", those only. Any other name gives an empty list.

    >>> import graphc.compat.v1 as tf
    >>> [device.device_type for device in tf.config.experimental.list_physical_devices("CPU")]
    ['CPU']
    """
    kind = load("graphc.serial.run_metadata_pb2").DeviceAttributes
    there = [("CPU", 0), *(("GPU", i) for i in range(len(gpus_if_they_work(Settings()))))]
    return [kind(name=f"/physical_device:{name}:{i}", device_type=name) for name, i in there
            if device_type in (None, name)]
