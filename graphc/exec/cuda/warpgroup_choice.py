"""Products by warpgroups (compute capability 9.0) where they are right and faster on this GPU, which is found out once
for a product of these sizes, when a plan with it is bound.

Their kernel is believed nothing. Once for a GPU another process tries it (warpgroup_probe.py). Then, for each product,
each variant multiplies numbers whose products' sums are exact, and must give what the other kernel gives, bit for bit;
if one does not, that is told, once, and none is taken. One that waits for what never comes gives up, and so has a wrong
result. What was found is kept on disk, as for NVIDIA's library (vendor/products.py), which is measured against what is
chosen here. GRAPHC_CUDA_WARPGROUPS=0: none of them.
"""
from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from graphc import errors
from graphc.exec.cuda.calls import warpgroups
from graphc.exec.cuda.calls.call import Call, Products
from graphc.exec.cuda.calls.products import Factors
from graphc.exec.cuda.calls.warpgroups import Variant
from graphc.exec.cuda.code.ptx import WARPGROUP_COMPUTE
from graphc.exec.cuda.driver import CudaError, Device
from graphc.exec.cuda.memory import ALIGNMENT
from graphc.exec.cuda.vendor.cublas import Problem
from graphc.exec.cuda.vendor.products import is_worth_it
from graphc.exec.cuda.vendor.trial import Trial
from graphc.exec.cuda.warpgroup_probe import PATIENCE, complaint
from graphc.exec.cuda.work import Work
from graphc.kernels.toolchain import cache

CLEARLY = 0.95             # of the other kernel's time a variant may take
OLDEST_DRIVER = 12000      # CUDA's version that knows the kernel's PTX
KIND, NAME = "warpgroup-", "warpgroups"

Own = Callable[..., Sequence[Work]]            # (call, addresses of a, b and c) -> what makes the product


@dataclass(frozen=True)
class Asked:
    """What is measured once."""

    problem: Problem
    products: Products


class WarpgroupProducts:
    """Of one device. All calls are under the device's lock, by a thread that uses it."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._chosen: dict[Asked, Variant | None] = {}
        self._works: bool | None = None                # nobody has asked

    def best(self, call: Call, f: Factors, own: Own) -> Own:
        """What makes the product best: `own`, or a variant by warpgroups."""
        problem = Problem(f.dtype, f.batch, f.m, f.n, f.k, f.a_batch, f.b_batch, f.transpose_a, f.transpose_b, True)
        if not warpgroups.variants(call, f) or not is_worth_it(problem) or not self._are_working():
            return own
        asked = Asked(problem, call.products)
        if asked not in self._chosen:
            self._chosen[asked] = self._choose(call, f, asked, own)
        variant = self._chosen[asked]
        if variant is None:
            return own
        chosen = variant

        def made(there: Call, *at: int) -> Sequence[Work]:
            """Where addresses are not as in the trial, another kernel would be needed, which nobody has tried."""
            return own(there, *at) if any(a % ALIGNMENT for a in at) else warpgroups.work(there, f, chosen, *at)

        return made

    def _are_working(self) -> bool:
        """Whether the kernels do what they should at all on this device."""
        if self._works is None:
            said = complaint(self._device)
            self._works = not said
            if said:
                _warn(f"products by warpgroups do not work on {self._device.name}: {said}. They are not used")
        return self._works

    def _choose(self, call: Call, f: Factors, asked: Asked, own: Own) -> Variant | None:
        """The fastest that is right, if it is clearly faster. Where the device has no memory for a trial, none is."""
        key = self._key(asked)
        stored = cache.read_used(key)
        if stored is not None:
            known = json.loads(stored)
            return None if known is None else Variant(**known)
        self._device.wait()
        try:
            found = self._fastest(call, f, asked, own)
        except errors.ResourceExhaustedError:
            return None
        cache.write_few(key, json.dumps(None if found is None else asdict(found)).encode(), KIND)
        return found

    def _fastest(self, call: Call, f: Factors, asked: Asked, own: Own) -> Variant | None:
        trial = Trial(self._device, asked.problem)
        there = replace(call, scratch=trial.room, checks=[], library_products=None, warpgroup_products=None)
        shortest, found = CLEARLY * trial.seconds(list(own(there, trial.a, trial.b, trial.c))), None
        right = self._result(f, trial.c)
        target, complaints = trial.room(right.nbytes), []  # type: int, list[str]
        for variant in warpgroups.variants(call, f):
            work = warpgroups.work(there, f, variant, trial.a, trial.b, target, PATIENCE)
            self._device.clear(target, right.nbytes)
            wrong = self._tried(trial, work) or _difference(right, self._result(f, target))
            if wrong:
                complaints.append(f"{variant} {wrong}")
                continue
            taken = trial.seconds(work)
            if taken < shortest:
                shortest, found = taken, variant
        if complaints:                         # what is wrong once is not believed elsewhere
            more = f" ({len(complaints)} variants are like that)" if len(complaints) > 1 else ""
            _warn(f"a product by warpgroups ({f.batch} of {f.m} x {f.k} times {f.k} x {f.n}) on {self._device.name}: "
                  f"{complaints[0]}{more}. It is not used for these sizes")
            return None
        return found

    def _tried(self, trial: Trial, work: Sequence[Work]) -> str:
        """Has the device do it; what the driver says if it cannot."""
        try:
            trial.once(work)
        except CudaError as error:
            return f"cannot be run: {error}"
        return ""

    def _result(self, f: Factors, address: int) -> np.ndarray:
        found = np.empty((f.batch, f.m, f.n), np.float32)
        self._device.download(found.ctypes.data, address, found.nbytes)
        self._device.wait()
        return found

    def _key(self, asked: Asked) -> str:
        from graphc import __version__

        device = self._device
        about = (__version__, device.name, device.compute, device.multiprocessors, device.driver_version, asked)
        return f"{KIND}{cache.hash_of(*map(str, about))}.json"


def _difference(right: np.ndarray, found: np.ndarray) -> str:
    """What is wrong with a product, if anything is."""
    differs = np.argwhere(right != found)
    if not len(differs):
        return ""
    first = tuple(differs[0].tolist())
    return (f"differs from the other kernel in {len(differs)} of {right.size} elements, first in {first}: "
            f"{found[first]} where {right[first]} is right")


def _warn(what: str) -> None:
    warnings.warn(f"graphc: {what}, and results are right; please report it. GRAPHC_CUDA_WARPGROUPS=0 leaves such "
                  "products out", stacklevel=2)


def warpgroup_products(device: Device) -> WarpgroupProducts | None:
    """Of the device, whose context is this thread's; None of one that has no warpgroups, or an older driver."""
    if not isinstance(device, Device) or device.compute != WARPGROUP_COMPUTE or not device.driver.has_tensor_maps or (
            device.driver_version < OLDEST_DRIVER or os.environ.get("GRAPHC_CUDA_WARPGROUPS", "1") == "0"):
        return None
    if NAME not in device.libraries:
        device.libraries[NAME] = WarpgroupProducts(device)
    found: WarpgroupProducts = device.libraries[NAME]
    return found
