"""Products by warpgroups (compute capability 9.0) where they are right and faster on this GPU.

Their kernel is believed nothing. Once for a GPU another process tries it (warpgroup_probe.py). Then each variant is
measured once for a product of these sizes (vendor/choices.py), and must give what the own kernel gives, bit for bit, of
numbers whose products' sums are exact. One that waits for what never comes gives up, and has no result. NVIDIA's
library is measured against what is chosen here. GRAPHC_CUDA_WARPGROUPS=0: none of them.
"""
from __future__ import annotations

import os
import warnings
from collections.abc import Sequence

from graphc.exec.cuda.calls import warpgroups
from graphc.exec.cuda.calls.call import Call
from graphc.exec.cuda.calls.products import Factors
from graphc.exec.cuda.calls.warpgroups import Variant
from graphc.exec.cuda.code.ptx import WARPGROUP_COMPUTE
from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.memory import ALIGNMENT
from graphc.exec.cuda.vendor.choices import Choices, Made, Question
from graphc.exec.cuda.vendor.cublas import Problem
from graphc.exec.cuda.vendor.products import is_worth_it, problem_of
from graphc.exec.cuda.warpgroup_probe import complaint
from graphc.exec.cuda.work import Work

OLDEST_DRIVER = 12000      # CUDA's version that knows the kernel's PTX
KIND, NAME = "warpgroup-", "warpgroups"


class WarpgroupProducts:
    """Of one device. All calls are under the device's lock, by a thread that uses it."""

    def __init__(self, device: Device) -> None:
        self._device, self._choices = device, Choices(device, KIND, (), Variant)
        self._works: bool | None = None                # nobody has asked

    def best(self, call: Call, f: Factors, own: Made) -> Made:
        """What makes the product best: `own`, or a variant by warpgroups."""
        problem = problem_of(f, True)
        if not warpgroups.variants(call, f) or not is_worth_it(problem) or not self._are_working():
            return own
        variant = self._choices.choose(call, _question(call, f, problem, own))
        if variant is None:
            return own
        chosen = variant

        def made(there: Call, a: int, b: int, c: int) -> Sequence[Work]:
            """Where addresses are not as in the trial, another kernel would be needed, which nobody has tried."""
            aligned = not (a % ALIGNMENT or b % ALIGNMENT or c % ALIGNMENT)
            return warpgroups.work(there, f, chosen, a, b, c) if aligned else own(there, a, b, c)

        return made

    def _are_working(self) -> bool:
        """Whether the kernels do what they should at all on this device."""
        if self._works is None:
            said = complaint(self._device)
            self._works = not said
            if said:
                warnings.warn(f"graphc: products by warpgroups do not work on {self._device.name}: {said}. They are "
                              "not used, and results are right; please report it. GRAPHC_CUDA_WARPGROUPS=0 leaves them "
                              "out", stacklevel=2)
        return self._works


def _question(call: Call, f: Factors, problem: Problem, own: Made) -> Question[Variant]:
    def tried(variant: Variant) -> Made:
        return lambda there, a, b, c: warpgroups.work(there, f, variant, a, b, c, is_trial=True)

    return Question(str(problem), f"{problem!r} {call.products.name}", f.stored, f.made, problem.factors,
                    f.batch * f.m * f.n, f.k, problem.operations, own, lambda: warpgroups.variants(call, f), tried)


def warpgroups_of(device: Device) -> WarpgroupProducts | None:
    """Of the device, whose context is this thread's; None of one that has no warpgroups, or an older driver."""
    if type(device) is not Device or device.compute != WARPGROUP_COMPUTE or not device.driver.has_tensor_maps or (
            device.driver_version < OLDEST_DRIVER or os.environ.get("GRAPHC_CUDA_WARPGROUPS", "1") == "0"):
        return None
    if NAME not in device.libraries:
        device.libraries[NAME] = WarpgroupProducts(device)
    found: WarpgroupProducts = device.libraries[NAME]
    return found
