"""Products and convolutions by warpgroups (compute capability 9.0) where they are right and faster on this GPU.

Their kernel is believed nothing. Once for a GPU another process tries it (warpgroup_probe.py). Then each variant is
measured once for a product of these sizes (vendor/choices.py), and must give what the own kernel gives, bit for bit, of
numbers whose products' sums are exact. One that waits for what never comes gives up, and has no result. NVIDIA's
library is measured against what is chosen here. GRAPHC_CUDA_WARPGROUPS=0: none of them.
"""
from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphc.exec.cuda.calls import warpgroups
from graphc.exec.cuda.calls.call import Call
from graphc.exec.cuda.calls.products import Factors
from graphc.exec.cuda.calls.warpgroup_convolutions import Seen, seen
from graphc.exec.cuda.calls.warpgroup_convolutions import variants as variants_of
from graphc.exec.cuda.calls.warpgroup_convolutions import work as convolved
from graphc.exec.cuda.calls.warpgroups import Variant
from graphc.exec.cuda.code.ptx import WARPGROUP_COMPUTE
from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.memory import ALIGNMENT
from graphc.exec.cuda.vendor.choices import Choices, Made, Question
from graphc.exec.cuda.vendor.cublas import Problem
from graphc.exec.cuda.vendor.cudnn import Kind
from graphc.exec.cuda.vendor.products import are_many, is_worth_it, problem_of
from graphc.exec.cuda.warpgroup_probe import complaint
from graphc.exec.cuda.work import Work

if TYPE_CHECKING:
    from graphc.exec.cuda.calls.convolutions import Convolution
    from graphc.exec.cuda.calls.convolutions import Made as MadeConvolution

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

    def best_convolution(self, call: Call, kind: Kind, v: Convolution, own: MadeConvolution,
                         mend: MadeConvolution) -> MadeConvolution:
        """The same of a convolution, or one of its gradients. mend: what looks behind a variant's result at what zeros
        have made NaN."""
        s = seen(call, kind, v)
        if s is None or not are_many(s.operations) or not self._are_working():
            return own
        variant = self._choices.choose(call, _question_of_windows(s, v, own, mend))
        if variant is None:
            return own
        problem, chosen = s, variant

        def made(there: Call, of: Convolution, a: int, b: int, c: int) -> list[Work]:
            if a % ALIGNMENT or b % ALIGNMENT or c % ALIGNMENT:    # not as in the trial
                return own(there, of, a, b, c)
            return [*convolved(there, problem, chosen, a, b, c), *mend(there, of, a, b, c)]

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


def _question_of_windows(s: Seen, v: Convolution, own: MadeConvolution, mend: MadeConvolution) -> Question[Variant]:
    def tried(variant: Variant) -> Made:
        return lambda there, a, b, c: [*convolved(there, s, variant, a, b, c, is_trial=True), *mend(there, v, a, b, c)]

    f, filters = s.factors, s.taps * s.c * s.oc
    pictures, results = s.n * s.h * s.w * s.c, s.pixels * s.oc
    counts = ((pictures, results), filters) if s.kind is Kind.FILTER else ((pictures, filters), results)
    said = (f"{'the gradient for a filter of ' * (s.kind is Kind.FILTER)}windows of {s.windows.kh} x {s.windows.kw} on "
            f"pictures [{s.n}, {s.h}, {s.w}, {s.c}] with {s.oc} results in {s.element}")
    return Question(said, repr(s), s.element, f.made, *counts, f.k, s.operations,
                    lambda there, *at: own(there, v, *at), lambda: variants_of(s), tried)


def warpgroups_of(device: Device) -> WarpgroupProducts | None:
    """Of the device, whose context is this thread's; None of one that has no warpgroups, or an older driver."""
    if type(device) is not Device or device.compute != WARPGROUP_COMPUTE or not device.driver.has_tensor_maps or (
            device.driver_version < OLDEST_DRIVER or os.environ.get("GRAPHC_CUDA_WARPGROUPS", "1") == "0"):
        return None
    if NAME not in device.libraries:
        device.libraries[NAME] = WarpgroupProducts(device)
    found: WarpgroupProducts = device.libraries[NAME]
    return found
