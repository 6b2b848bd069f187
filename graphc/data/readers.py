"""Steps that read files: lines, records."""
from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

import graphc as gc
from graphc import errors
from graphc.data.pipeline import Run, Step, tensors_among
from graphc.data.sources import Tensors
from graphc.data.structure import Element, TensorPart
from graphc.io.records import TFRecordOptions, open_packed, records_at


class Files(Step):
    """The records of the files, one file behind the other. options: parameters of the format."""

    def __init__(self, filenames: Any, compression_type: Any, *options: Any) -> None:
        self.filenames = Tensors(filenames)
        part = self.filenames.structure
        if not isinstance(part, TensorPart) or part.dtype != gc.string or part.shape.ndims not in (None, 0, 1):
            raise TypeError(f"argument 'filenames' must be a string or a vector of strings, but is {filenames!r}")
        self.before, self.compression, self.options = (self.filenames,), compression_type, options
        self.tensors = tensors_among(compression_type, *options)
        self.structure = TensorPart(gc.string, gc.TensorShape([]))

    def open(self, run: Run) -> Iterator[Element]:
        (names,) = next(self.filenames.open(run))
        packed = run.value(self.compression)
        packed = packed.item() if isinstance(packed, np.ndarray) else packed
        packed = packed.decode() if isinstance(packed, bytes) else packed or ""
        how = TFRecordOptions(packed)
        numbers = [run.number(n) for n in self.options]
        return ((record,) for name in np.atleast_1d(np.asarray(names, object))
                for record in self.records(name, how, *numbers))

    def records(self, name: Any, how: TFRecordOptions, *numbers: int) -> Iterator[bytes]:
        raise NotImplementedError


class Records(Files):
    """Of TFRecord files."""

    def records(self, name: Any, how: TFRecordOptions, *numbers: int) -> Iterator[bytes]:
        return (record for _, record in records_at(open_packed(name, how)))


class Lines(Files):
    """Of text, without what ends them, and without carriage returns."""

    def records(self, name: Any, how: TFRecordOptions, *numbers: int) -> Iterator[bytes]:
        source = open_packed(name, how)
        with source.file:
            packed = TFRecordOptions.get_compression_type_string(how)
            for line in io.BytesIO(source.read_all()) if packed else source.file:
                yield line.removesuffix(b"\n").replace(b"\r", b"")


class FixedLength(Files):
    """Of record_bytes each, between a header and a footer."""

    def records(self, name: Any, how: TFRecordOptions, *numbers: int) -> Iterator[bytes]:
        size, header, footer = numbers
        source = open_packed(name, how)
        with source.file:
            data = source.read_all()
        body = len(data) - header - footer
        if size < 1 or body < 0 or body % size:
            raise errors.InvalidArgumentError(
                f"Excluding the header ({header} bytes) and footer ({footer} bytes), input file "
                f"\"{os.fsdecode(name)}\" has body length {body} bytes, which is not an exact multiple of the record "
                f"length ({size} bytes).")
        return (data[at:at + size] for at in range(header, header + body, size))


def _matching(pattern: str) -> list[str]:
    """With a folder before each name, as TensorFlow gives them."""
    found: list[str] = gc.io.gfile.glob(pattern)
    return found if os.path.dirname(pattern) else [os.path.join(".", name) for name in found]


class Matching(Step):
    """The names of the files that match a pattern, in alphabetic order."""

    def __init__(self, patterns: Any) -> None:
        self.patterns = Tensors(patterns)
        self.before = (self.patterns,)
        self.structure = TensorPart(gc.string, gc.TensorShape([]))

    def open(self, run: Run) -> Iterator[Element]:
        (patterns,) = next(self.patterns.open(run))
        wanted = [os.fsdecode(p) for p in np.atleast_1d(np.asarray(patterns, object))]
        found = sorted({name for pattern in wanted for name in _matching(pattern)})
        if not found:
            raise errors.InvalidArgumentError(f"No files matched pattern: {', '.join(wanted)}")
        return ((os.fsencode(name),) for name in found)
