"""NVIDIA's libraries of a device, each opened when something is first computed that it might do."""
from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.vendor.cublas import Cublas
from graphc.exec.cuda.vendor.find import are_wanted, open_cublas
from graphc.exec.cuda.vendor.functions import LibraryError
from graphc.exec.cuda.vendor.products import LibraryProducts

PRODUCTS = "cuBLASLt"


class Libraries:
    """Of one device, whose context is this thread's, under its lock. Libraries that are not there are None; one that is
    there and does not work is warned of, once."""

    def __init__(self, device: Device) -> None:
        self._device = device

    @property
    def products(self) -> LibraryProducts | None:
        found: LibraryProducts | None = self._opened(PRODUCTS, "multiply", self._products)
        return found

    def _products(self) -> LibraryProducts | None:
        found = open_cublas(self._device.driver_version)
        return None if found is None else LibraryProducts(self._device, Cublas(*found))

    def _opened(self, name: str, do: str, opened: Callable[[], Any]) -> Any:
        """do: what graphc's own kernels do without it."""
        if name not in self._device.libraries:
            self._device.libraries[name] = None
            try:
                self._device.libraries[name] = opened()
            except (OSError, AttributeError, LibraryError) as error:
                warnings.warn(f"graphc: {name} cannot be used, graphc's own kernels {do} instead: {error}",
                              stacklevel=2)
        return self._device.libraries[name]


def libraries_of(device: Device) -> Libraries | None:
    """None where they are not wanted, or the device is not the driver's."""
    return Libraries(device) if are_wanted() and type(device) is Device else None
