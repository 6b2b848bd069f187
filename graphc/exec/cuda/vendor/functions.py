"""The functions of one of NVIDIA's libraries by ctypes, each call checked."""
from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

from graphc import errors


class LibraryError(errors.InternalError):
    """A call of one of NVIDIA's libraries that failed. status: its number."""

    status = 0


class Functions:
    """Of a library that was found at `path`. signatures: what each takes; all return a status. name_of: the function
    that names a status.

    Raises AttributeError if the library lacks one of them.
    """

    def __init__(self, library: ctypes.CDLL, path: str, signatures: Mapping[str, tuple[Any, ...]],
                 name_of: str) -> None:
        self.path = path
        self._name = getattr(library, name_of)
        self._name.argtypes, self._name.restype = [ctypes.c_int], ctypes.c_char_p
        self._calls = {name: self._checked(library, name, arguments) for name, arguments in signatures.items()}

    def call(self, name: str, *arguments: Any) -> None:
        """Raises LibraryError."""
        self._calls[name](*arguments)

    def made(self, name: str, *arguments: Any) -> int:
        """What a call writes where its first argument points."""
        place = ctypes.c_void_p()
        self.call(name, ctypes.byref(place), *arguments)
        assert place.value is not None
        return place.value

    def _checked(self, library: ctypes.CDLL, name: str, arguments: tuple[Any, ...]) -> Callable[..., None]:
        function = getattr(library, name)
        function.argtypes, function.restype = list(arguments), ctypes.c_int

        def call(*given: Any) -> None:
            status = function(*given)
            if status:
                error = LibraryError(f"{name} of {self.path}: {(self._name(status) or b'?').decode()} ({status}); "
                                     "GRAPHC_CUDA_LIBRARIES=0 leaves NVIDIA's libraries out")
                error.status = status
                raise error

        return call
