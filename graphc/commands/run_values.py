"""What `graphc run` feeds, prints and writes: runner/src/command/run_feeds.cpp and run_command.cpp in Python."""
from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from graphc import errors
from graphc.commands.array_files import names_in, plain, read_array, saving, strings
from graphc.commands.flags import Arguments
from graphc.io.whole_files import NewFile, sync_folder
from graphc.ir.dtypes import as_dtype
from graphc.plan.plan import Port

Array = np.ndarray[Any, Any]
MOST_PRINTED = 8


def find_port(ports: Sequence[Port], name: str, what: str) -> int:
    """The number of the input or output of that name, with or without ":0"."""
    for number, port in enumerate(ports):
        if plain(port.name) == plain(name):
            return number
    raise errors.NotFoundError(f"the model has no {what} '{name}'; it has {', '.join(p.name for p in ports) or 'none'}")


def named(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """What flags feed, name and file: of a .npz file that is given without a name all that it has."""
    return [(name, path) for given, path in pairs for name in ([given] if given else names_in(path))]


class Feeds:
    """An array for each input; of those of --feed-each a row for each step."""

    def __init__(self, arguments: Arguments, inputs: Sequence[Port]) -> None:
        self._arrays: dict[int, Array] = {}
        self._each: set[int] = set()
        for each, pairs in ((False, arguments.feeds), (True, arguments.each)):
            for name, path in named(pairs):
                number = find_port(inputs, name, "input")
                self._arrays[number] = array = read_feed(inputs[number], path)
                (self._each.add if each else self._each.discard)(number)
                if each and (not array.ndim or not len(array)):
                    raise errors.InvalidArgumentError(f"{path}: --feed-each needs an array of at least one row")
        for number, port in enumerate(inputs):
            if number not in self._arrays:
                raise errors.InvalidArgumentError(
                    f"input '{port.name}' is not fed: use --feed {plain(port.name)}=FILE.npy")
            self._check_shape(port, self.of_step(0, number))

    def _check_shape(self, port: Port, array: Array) -> None:
        wanted = f"input '{port.name}' has shape {_sizes(port.shape, 'any')}, a tensor of "
        if array.ndim != len(port.shape):
            raise errors.InvalidArgumentError(f"{wanted}{array.ndim} axes is given")
        if any(w not in (-1, s) for w, s in zip(port.shape, array.shape, strict=True)):
            raise errors.InvalidArgumentError(f"{wanted}shape {_sizes(array.shape, 'any')} is given")

    def of_step(self, step: int, number: int) -> Array:
        array = self._arrays[number]
        row: Array = array[step % len(array)] if number in self._each else array
        return row

    def all_of_step(self, step: int) -> list[Array]:
        return [self.of_step(step, number) for number in range(len(self._arrays))]


def read_feed(port: Port, path: str) -> Array:
    """The array in a file, row-major and of this machine's byte order. Raises what read_array raises, and
    InvalidArgumentError if it is of another dtype than the input."""
    array = read_array(path, port.name)
    wanted = as_dtype(port.dtype)
    if wanted.short == "str" and array.dtype.kind in "SU":
        return strings(array, path)
    if wanted.name == "bfloat16" and array.dtype == np.dtype("V2"):
        return np.ascontiguousarray(array).view(wanted.numpy)
    held = array.dtype.newbyteorder("=")
    if held != wanted.numpy:
        raise errors.InvalidArgumentError(
            f"{path} holds {_dtype_name(held)}, but input '{port.name}' is {wanted.name}: convert it, "
            + saving(path, port.name, f'array.astype("{"bytes" if wanted.short == "str" else wanted.name}")'))
    return np.ascontiguousarray(array, held).reshape(array.shape)


def _dtype_name(dtype: np.dtype[Any]) -> str:
    try:
        return str(as_dtype(dtype).name)
    except TypeError:
        return str(dtype)


def _sizes(shape: Sequence[int], unknown: str) -> str:
    return f"[{', '.join(unknown if size < 0 else str(size) for size in shape)}]"


def print_port(what: str, port: Port) -> None:
    print(f"{what:<9} {port.name:<24} {as_dtype(port.dtype).name:<8} {_sizes(port.shape, '?')}")


def print_output(port: Port, value: Array) -> None:
    """Its shape, and up to 8 elements; of 16-bit floats and complex numbers --out gives them."""
    print_port("output", Port(port.name, port.dtype, value.shape))
    form = {"f": ".6g", "i": "d", "u": "d", "b": "d", "O": ""}.get(value.dtype.kind)
    if form is not None and (value.dtype.kind != "f" or value.dtype.itemsize > 2):
        shown = [format(one, form) for one in value.reshape(-1)[:MOST_PRINTED].tolist()]
        print(" ", *shown, *["..."] * (value.size > MOST_PRINTED))


def write_files(files: Sequence[tuple[str, bytes]]) -> None:
    """Paths with contents. All files, or none of them, get their names; what is no regular file is written to
    directly."""
    with ExitStack() as made:
        waiting = []
        for path, data in files:
            target = os.path.realpath(path)
            is_file = not os.path.exists(target) or stat.S_ISREG(os.stat(target).st_mode)
            try:
                if not is_file:
                    with open(target, "wb") as device:
                        device.write(data)
                    continue
                file = made.enter_context(NewFile(target))
                file.file.write(data)
                file.sync()
            except OSError as error:
                raise errors.UnknownError(f"cannot write {path}: {error.strerror}") from None
            if os.path.exists(target):
                os.chmod(file.path, stat.S_IMODE(os.stat(target).st_mode))
            waiting.append(file)
        for file in waiting:
            file.rename()
            sync_folder(os.path.dirname(file.final))
