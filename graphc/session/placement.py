"""Where a run happens: on the CPU, or wholly on the GPU.

A run uses the GPU if one of its ops was built under gc.device("/gpu:0"), or if the session's ConfigProto says
device_count={"GPU": 1}; never if it says 0. On a machine without a GPU everything runs on the CPU; a warning says so,
once a session, if ops were placed and placement is not soft. What the GPU cannot run, an op without a kernel there, is
an error that names the op; with allow_soft_placement, or if only device_count asked for the GPU, the run happens on the
CPU and one warning says why.
"""
from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from graphc import errors
from graphc.ir.tensor import Operation
from graphc.ir.user_frame import user_stacklevel
from graphc.session.config import Settings

GPU = "/job:localhost/replica:0/task:0/device:GPU:0"
_KIND = "/device:GPU:"


class Placement:
    """What a Session decides of its runs' devices."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._warned: set[str] = set()

    def gpu_for(self, operations: Iterable[Operation]) -> Any:
        """The GPU (exec/cuda/driver.py: Device) if a run of these ops is to happen there, None for the CPU.

        Raises InvalidArgumentError for an op that wants a second GPU, unless placement is soft.
        """
        wanted = [op for op in operations if _KIND in op.device]
        if self._settings.gpus == 0 or not (wanted or self._settings.gpus):
            return None
        from graphc.exec.cuda.driver import find_device
        device = find_device()
        if device is None and wanted and not self._settings.soft_placement:
            self._warn("there are ops on a GPU, but no GPU was found here: such runs happen on the CPU")
        if device is not None and not self._settings.soft_placement:
            for op in wanted:
                if not op.device.endswith(_KIND + "0"):
                    raise errors.InvalidArgumentError(
                        f"{op.type} '{op.name}' is placed on {op.device}, but graphc uses one GPU, {GPU}; write "
                        "gc.device('/gpu:0'), or ConfigProto(allow_soft_placement=True)" + errors.built_at(op), op)
        return device

    def check(self, plan: Any, operations: Iterable[Operation]) -> bool:
        """Whether the GPU can run a plan. Raises UnimplementedError if it must and cannot."""
        from graphc.exec.cuda.support import why_not
        found = why_not(plan)
        if found is None:
            return True
        origin, lacking = found
        blame = f"{origin.op_type} '{origin.op_name}': " if origin is not None else ""
        text = f"{blame}the GPU does not have {lacking}"
        if not self._settings.soft_placement and any(_KIND in op.device for op in operations):
            where = errors.built_at(origin) if origin is not None else ""
            raise errors.UnimplementedError(
                f"{text}. Leave the op out of gc.device('/gpu:0') together with what is fetched with it, or make the "
                f"session with ConfigProto(allow_soft_placement=True): such runs happen on the CPU then{where}", origin)
        self._warn(f"{text}: runs that need it happen on the CPU")
        return False

    def _warn(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            warnings.warn(text, stacklevel=user_stacklevel())
