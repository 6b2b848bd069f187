"""Where runs happen.

A run uses a GPU if one of its ops was placed on one (gc.device("/gpu:0")), if the session's ConfigProto says
device_count={"GPU": 1}, or if it is large enough that a GPU pays (exec/cuda/worth.py); never if device_count says 0.
Then the GPU does all that it has kernels for and that was not placed on the CPU, and the CPU the rest. What was placed
on a GPU that lacks it runs on the CPU, and a warning names op and line, once for each kind of op; none with
allow_soft_placement. A run uses all GPUs that its ops name; what was placed on none is done by the first of them.

On a machine without a GPU everything runs on the CPU; a warning says so, once a session, if ops were placed and
placement is not soft.
"""
from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphc import errors
from graphc.ir.tensor import Operation
from graphc.ir.user_frame import user_stacklevel
from graphc.ops.control.control import bodies
from graphc.passes.shared.sides import Sides, side_of
from graphc.session.config import Settings
from graphc.session.devices import CPU, GPU, gpus_if_they_work, visible_gpus

_GPU, _CPU = "/device:GPU:", "/device:CPU:"
HOST = -1


@dataclass(frozen=True)
class Chosen:
    """The GPUs (exec/cuda/driver.py) of a run, the first of which does what was placed on none; their numbers; and the
    sides of ops (passes/shared/sides.py): HOST, or the place of a GPU in `devices`."""

    devices: tuple[Any, ...]
    numbers: tuple[int, ...]
    sides: Sides

    def may(self, plan: Any, step: Any) -> bool:
        """Whether a GPU may do a step of the plan."""
        return self._side(plan, step) != HOST

    def place(self, plan: Any, step: Any) -> int:
        """Which of `devices` does a step that one may do."""
        return max(self._side(plan, step), 0)

    def _side(self, plan: Any, step: Any) -> int:
        return side_of([plan.origins[o] for o in step.origins], self.sides)


class Placement:
    """What a Session decides of its runs' devices."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._warned: set[str] = set()

    def gpu_for(self, operations: Sequence[Operation]) -> Chosen | None:
        """The GPUs that a run of these ops is to use, as they or the session's settings want it.

        Raises InvalidArgumentError for an op that wants a GPU that is not there, unless placement is soft.
        """
        everything = list(_with_inner(operations))
        wanted = [op for op in everything if _GPU in op.device]
        if self._settings.gpus == 0 or not (wanted or self._settings.gpus):
            return None
        is_asked_for = (wanted and not self._settings.soft_placement) or self._settings.gpus
        gpus = (visible_gpus if is_asked_for else gpus_if_they_work)(self._settings)
        if not gpus:
            if wanted and not self._settings.soft_placement:
                self._warn("there are ops on a GPU, but no GPU was found here: such runs happen on the CPU")
            return None
        return self._chosen(everything, {op: self._number(op, len(gpus)) for op in wanted})

    def _chosen(self, operations: Iterable[Operation], numbers: Mapping[Operation, int]) -> Chosen:
        """GPUs for a run of these ops, inner ones, too. numbers: of those placed on GPUs, which there must be."""
        order = list(dict.fromkeys(numbers.values())) or [0]
        gpus = visible_gpus(self._settings)
        sides = {(op.name, op.type): HOST for op in operations if _CPU in op.device}
        sides |= {(op.name, op.type): order.index(number) for op, number in numbers.items()}
        return Chosen(tuple(gpus[number] for number in order), tuple(order), sides)

    def gpu_if_worth(self, operations: Sequence[Operation], plan: Any, shapes: Sequence[tuple[int, ...]],
                     threads: int) -> Chosen | None:
        """The GPU for a run that nobody placed, if it is quicker there. plan: for the CPU; shapes: of its feeds."""
        if self._settings.gpus == 0:
            return None
        from graphc.exec.cuda.worth import Estimate

        estimate = Estimate(plan, shapes, threads)
        if not estimate.is_long:               # before a driver is opened
            return None
        gpus = gpus_if_they_work(self._settings)
        return self._chosen(_with_inner(operations), {}) if gpus and estimate.pays(gpus[0].memory) else None

    def _number(self, op: Operation, count: int) -> int:
        number = int(op.device.rpartition(_GPU)[2].replace("*", "0") or 0)
        if number < count:
            return number
        if self._settings.soft_placement:
            return 0
        there = ", ".join([CPU, *(GPU.format(i) for i in range(count))])
        raise errors.InvalidArgumentError(
            f"{op.type} '{op.name}' is placed on {op.device}, which is not there; the devices are {there}. Name one of "
            f"these in gc.device, or use ConfigProto(allow_soft_placement=True){errors.built_at(op)}", op)

    def tell(self, plan: Any, operations: Iterable[Operation]) -> None:
        """Warns of ops that were placed on a GPU which cannot do them."""
        if self._settings.soft_placement:
            return
        from graphc.exec.cuda.support import lacks

        placed = {(op.name, op.type) for op in _with_inner(operations) if _GPU in op.device}
        for origin, lacking in lacks(plan):
            if (origin.op_name, origin.op_type) in placed and lacking not in self._warned:
                self._warned.add(lacking)
                self._warn(f"{origin.op_type} '{origin.op_name}': the GPU does not have {lacking}; the CPU does it "
                           f"instead{errors.built_at(origin)}")

    def log(self, operations: Iterable[Operation], chosen: Chosen | None,
            by_gpu: Mapping[tuple[str, str], int]) -> None:
        """Prints where the ops of a run are computed, if the session is to. by_gpu: those that GPUs do, and which of
        the run's does."""
        if not self._settings.log_device_placement:
            return
        for op in operations:
            place = by_gpu.get((op.name, op.type))
            where = CPU if chosen is None or place is None else GPU.format(chosen.numbers[place])
            sys.stderr.write(f"{op.name}: ({op.type}): {where}\n")

    def _warn(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            warnings.warn(text, stacklevel=user_stacklevel())


def _with_inner(operations: Iterable[Operation]) -> Iterator[Operation]:
    """The ops, and those in their loops and branches."""
    for op in operations:
        yield op
        for body in bodies(op.definition):
            yield from _with_inner(body.get_operations())
