"""NVIDIA's libraries of a device, each opened when something is first computed that it might do."""
from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from graphc.exec.cuda.calls.call import Call
from graphc.exec.cuda.calls.convolutions import Convolution, Made
from graphc.exec.cuda.driver import Device
from graphc.exec.cuda.vendor.convolutions import LibraryConvolutions, worthwhile
from graphc.exec.cuda.vendor.cublas import Cublas
from graphc.exec.cuda.vendor.cudnn import Cudnn, Kind
from graphc.exec.cuda.vendor.find import are_wanted, open_cublas, open_cudnn
from graphc.exec.cuda.vendor.functions import LibraryError
from graphc.exec.cuda.vendor.products import LibraryProducts
from graphc.exec.cuda.work import Work

PRODUCTS, CONVOLUTIONS = "cuBLASLt", "cuDNN"


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

    def convolution(self, call: Call, kind: Kind, v: Convolution, own: Made, mend: Made) -> list[Work] | None:
        """As LibraryConvolutions.work; the library is opened when a convolution is worth it."""
        problem = worthwhile(call, kind, v)
        library = None if problem is None else self.convolutions
        return None if problem is None or library is None else library.work(call, problem, v, own, mend)

    @property
    def convolutions(self) -> LibraryConvolutions | None:
        found: LibraryConvolutions | None = self._opened(CONVOLUTIONS, "convolve", self._convolutions)
        return found

    def _convolutions(self) -> LibraryConvolutions | None:
        found, device = open_cudnn(), self._device
        return None if found is None else LibraryConvolutions(device, Cudnn(*found, device.stream,
                                                                            device.driver_version))

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
