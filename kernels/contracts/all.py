"""Every kernel that is declared, by name."""
from __future__ import annotations

from collections.abc import Sequence

from . import array, image, linalg, math, nn, random, signal, sparse, state
from .kernel import Kernel

FAMILIES = (array, image, linalg, math, nn, random, signal, sparse, state)
KERNELS: dict[str, Kernel] = {}

for _kernel in (kernel for family in FAMILIES for kernel in family.KERNELS):
    if _kernel.name in KERNELS:
        raise ValueError(f"kernel {_kernel.name} is declared twice")
    KERNELS[_kernel.name] = _kernel


def kernel_of(full_name: str) -> Kernel | None:
    """The kernel that a Plan calls by this name, if there is one."""
    return KERNELS.get(full_name.partition(".")[0])


def attr_values(full_name: str, words: Sequence[int]) -> Sequence[float]:
    """The attributes of a call, for people to read; of a kernel that is not declared: its words."""
    kernel = kernel_of(full_name)
    return words if kernel is None or len(words) != len(kernel.attrs) else kernel.attr_values(words)
