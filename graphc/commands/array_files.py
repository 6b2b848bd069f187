"""The files of arrays that `graphc run` reads and writes: .npy, and .npz, a zip archive of those by the names of inputs
and outputs. runner/src/files/npy.cpp and npz.cpp do the same in C++, to the byte; they do not read compressed archives.
"""
from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

import numpy as np

from graphc import errors

Array = np.ndarray[Any, Any]
NPY_MAGIC, ZIP_MAGIC = b"\x93NUMPY", b"PK"
MEMBER = ".npy"


def plain(name: str) -> str:
    """The name of a tensor without ":0": that of its array in a .npz file."""
    return name.removesuffix(":0")


def names_in(path: str) -> list[str]:
    """The names of the arrays in a .npz file. Raises InvalidArgumentError if it is none."""
    with _opened(path) as file:
        if file.read(2) != ZIP_MAGIC:
            raise errors.InvalidArgumentError(f"{path}: not a .npz file")
        with zipfile.ZipFile(file) as archive:
            return [name.removesuffix(MEMBER) for name in archive.namelist() if name.endswith(MEMBER)]


def read_array(path: str, name: str) -> Array:
    """The array in a .npy file, or of that name in a .npz file. Raises NotFoundError if there is no such file or
    array, InvalidArgumentError if the file is neither or damaged."""
    with _opened(path) as file:
        magic = file.read(len(NPY_MAGIC))
        file.seek(0)
        if magic[:2] != ZIP_MAGIC:
            return _read_npy(file, magic, path)
        with zipfile.ZipFile(file) as archive:
            members = {plain(m.removesuffix(MEMBER)): m for m in archive.namelist() if m.endswith(MEMBER)}
            if plain(name) not in members:
                raise errors.NotFoundError(
                    f"{path} has no array '{plain(name)}'; it has {', '.join(members) or 'none'}")
            data = archive.read(members[plain(name)])
        return _read_npy(io.BytesIO(data), data[:len(NPY_MAGIC)], path)


def _read_npy(file: BinaryIO, magic: bytes, path: str) -> Array:
    if magic != NPY_MAGIC:
        raise errors.InvalidArgumentError(f"{path}: not a .npy file")
    array: Array = np.lib.format.read_array(file, allow_pickle=False)
    return array


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """The file; what goes wrong with it inside is an error that names it."""
    try:
        with open(path, "rb") as file:
            yield file
    except OSError as error:
        raise errors.NotFoundError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile) as error:
        raise errors.InvalidArgumentError(f"{path}: {error}") from None


def strings(array: Array, path: str) -> Array:
    """An array of NumPy's kind S, or of U, which is text, as one of bytes objects. Raises InvalidArgumentError for text
    that cannot be written as UTF-8."""
    if array.dtype.kind == "S":
        return array.astype(object)
    codes = np.frombuffer(array.astype(array.dtype.newbyteorder("=")).tobytes(), np.uint32)
    if codes.max(initial=0) <= sys.maxunicode:         # NumPy takes larger ones for characters
        with suppress(UnicodeEncodeError):
            return np.char.encode(array, "utf-8").astype(object)
    raise errors.InvalidArgumentError(f"{path}: a string with a character that does not exist")


def npy_bytes(value: Array, path: str) -> bytes:
    """A .npy file. Strings are of one length in it; bfloat16 is "<V2". Raises InvalidArgumentError for a string that
    ends in NUL."""
    array = value
    if value.dtype.kind == "O":
        if any(one.endswith(b"\0") for one in value.ravel().tolist()):
            raise errors.InvalidArgumentError(f"{path}: a string that ends in NUL, which no .npy file can hold")
        array = value.astype(np.bytes_)
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(array).reshape(array.shape))
    return file.getvalue()


def npz_bytes(arrays: Mapping[str, Array], path: str) -> bytes:
    """A .npz file as numpy.savez makes it, without its reserve for sizes beyond 4 GB in each header."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, value in arrays.items():
            archive.writestr(zipfile.ZipInfo(name + MEMBER), npy_bytes(value, path))
    return file.getvalue()


def is_archive(path: str) -> bool:
    """Whether a file of this name is written as a .npz file."""
    return path.endswith(".npz")


def saving(path: str, name: str, array: str) -> str:
    """How Python would write `array`, an expression, into the file."""
    return f'numpy.savez("{path}", {plain(name)}={array})' if is_archive(path) else f'numpy.save("{path}", {array})'


def output_files(paths: Sequence[str], names: Sequence[str], values: Sequence[Array]) -> list[tuple[str, bytes]]:
    """The files of --out with their contents: one for each value, or a .npz file with all of them."""
    if len(paths) == 1 and is_archive(paths[0]):
        return [(paths[0], npz_bytes(dict(zip(map(plain, names), values, strict=True)), paths[0]))]
    return [(path, npy_bytes(value, path)) for path, value in zip(paths, values, strict=True)]
