"""Which way kernels go for sizes for which that was measured (`graphc tune`), instead of what their own models say.

A way is asked for by the kernel's full name, whether its packable operand is packed beforehand, and the call's dims and
attributes; the kernel takes it where the sizes allow it (kernels/cpu/ways.py). Ways differ in the order in which
products are added, so results may differ in their last digits; never by the number of threads.

What was measured is kept in the disk cache, by machine and kernel library. GRAPHC_TUNED=0: is not looked at;
GRAPHC_TUNED=FILE: that file instead. The file, which the C++ runner reads, too, is text: `graphc ways 1`, then a line a
call: the kernel, 1 or 0 for packed beforehand, the way's number, the dims and attributes.
"""
from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from graphc import errors

HEAD = "graphc ways 1"


@dataclass(frozen=True)
class Sizes:
    """A kernel's call. numbers: its dims and attributes, as words."""

    kernel: str
    packed: bool
    numbers: tuple[int, ...]


Ways = Mapping[Sizes, int]


def to_text(ways: Ways) -> str:
    """The file's text."""
    lines = sorted(f"{sizes.kernel} {int(sizes.packed)} {way} {' '.join(map(str, sizes.numbers))}"
                   for sizes, way in ways.items())
    return "\n".join([HEAD, *lines, ""])


def from_text(text: str, what: str) -> dict[Sizes, int]:
    """Reads the file called `what`. Raises DataLossError for a line that is none."""
    head, *lines = text.splitlines() or [""]
    if head != HEAD:
        raise errors.DataLossError(f"{what}: not a file of `graphc tune`: it begins with {head[:40]!r}, not {HEAD!r}")
    ways: dict[Sizes, int] = {}
    for number, line in enumerate(lines, 2):
        try:
            kernel, packed, way, *numbers = line.split()
            ways[Sizes(kernel, packed == "1", tuple(map(int, numbers)))] = int(way)
        except ValueError:
            raise errors.DataLossError(f"{what}: line {number} is {line[:60]!r}; a kernel's name and integers are "
                                       "expected. Write the file again with `graphc tune`") from None
    return ways


def table_of(ways: Ways, names: Sequence[str]) -> np.ndarray:
    """The runtime's table (tables.py: WAYS). names: of the library's kernels; calls of others are left out."""
    numbers = {name: number for number, name in enumerate(names)}
    words, count = [0], 0
    for sizes, way in ways.items():
        if sizes.kernel in numbers:
            words += [numbers[sizes.kernel], 1 + way, int(sizes.packed), len(sizes.numbers), *sizes.numbers]
            count += 1
    words[0] = count
    return np.array(words, np.int64)


def machine_ways(library: Any) -> Ways:
    """What this machine's user has measured for that library, or what GRAPHC_TUNED says."""
    asked = os.environ.get("GRAPHC_TUNED", "")
    return {} if asked == "0" else _from_file(asked) if asked else _kept(library.isa, library.hash)


def keep(library: Any, ways: Ways) -> None:
    """Has Sessions to come go these ways, beside those that were measured before; not if GRAPHC_TUNED is set."""
    from graphc.kernels.toolchain import cache

    if os.environ.get("GRAPHC_TUNED"):
        return
    cache.write(_key(library.isa, library.hash), to_text({**_kept(library.isa, library.hash), **ways}).encode())
    _kept.cache_clear()


@functools.cache
def _from_file(path: str) -> dict[Sizes, int]:
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise errors.NotFoundError(f"GRAPHC_TUNED={path}: {error.strerror}; `graphc tune MODEL -o {path}` writes such "
                                   "a file, GRAPHC_TUNED=0 goes the usual ways") from None
    return from_text(text, path)


@functools.cache
def _kept(isa: str, library_hash: str) -> dict[Sizes, int]:
    from graphc.kernels.toolchain import cache

    found = cache.read(_key(isa, library_hash))
    return {} if found is None else from_text(found.decode(), "the disk cache")


def _key(isa: str, library_hash: str) -> str:
    from graphc.exec.machine_speed import processor
    from graphc.kernels.toolchain import cache

    return f"ways-{cache.hash_of(processor(), isa, library_hash)}"
