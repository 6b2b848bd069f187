"""The keys and values that stand in the lines of a text file, as TextFileInitializer reads it."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from graphc import errors

LINE_NUMBER, WHOLE_LINE = -1, -2


def pairs_of_file(filename: Any, options: tuple[int, int, int, str], key_dtype: np.dtype[Any],
                  value_dtype: np.dtype[Any]) -> Iterator[tuple[Any, Any]]:
    """The keys with their values. options: (key_index, value_index, vocab_size, delimiter) of the op."""
    key_index, value_index, vocab_size, delimiter = options
    name = _path(filename)
    if len(delimiter.encode()) != 1:
        raise errors.InvalidArgumentError(f"delimiter must be only 1 char, got {delimiter!r}")
    reads = [_reader(index, dtype, role) for index, dtype, role in (
        (key_index, key_dtype, "key"), (value_index, value_dtype, "value"))]
    columns = max(key_index, value_index) + 1
    count = 0
    for line in lines_of(name):
        if count == vocab_size:
            return
        if not line:
            raise errors.InvalidArgumentError(f"Invalid content in {name}: empty line found at line {count + 1}")
        fields = line.split(delimiter.encode()) if columns > 0 else []
        if len(fields) < columns:
            raise errors.InvalidArgumentError(f"Invalid number of columns in {name} line {count} ({_text(line)}): "
                                              f"expected at least {columns} got {len(fields)}")
        key, value = (read(count, line, fields) for read in reads)
        yield key, value
        count += 1
    if vocab_size not in (-1, count):
        raise errors.InvalidArgumentError(f"Invalid vocab_size in {name}: expected {vocab_size} but got {count}")


def lines_of(name: str) -> Iterator[bytes]:
    """The lines of a file without their ends. Raises NotFoundError if there is none of that name."""
    try:
        with open(name, "rb") as file:
            for line in file:
                yield line.removesuffix(b"\n").replace(b"\r", b"")
    except FileNotFoundError:
        raise errors.NotFoundError(f"{name}; No such file or directory") from None
    except OSError as error:
        raise errors.InvalidArgumentError(f"{name}; {error.strerror}") from None


def _reader(index: int, dtype: np.dtype[Any], role: str) -> Callable[[int, bytes, list[bytes]], Any]:
    """The function of (number of a line, line, its fields) that gives the key or value."""
    if index == LINE_NUMBER:
        if dtype != np.int64:
            raise errors.InvalidArgumentError(f"{role} index for line number requires table {role} dtype of int64, got "
                                              f"{dtype}")
        return lambda number, line, fields: number
    convert = _converter(dtype)
    if index == WHOLE_LINE:
        return lambda number, line, fields: convert(line, number)
    return lambda number, line, fields: convert(fields[index], number)


def _converter(dtype: np.dtype[Any]) -> Callable[[bytes, int], Any]:
    if dtype.kind == "O":
        return lambda text, number: text
    if dtype.kind not in "if":
        raise errors.InvalidArgumentError(f"a column of a file cannot be {dtype}")

    def convert(text: bytes, number: int) -> Any:
        try:
            if b"_" in text:
                raise ValueError
            value = int(text) if dtype.kind == "i" else float(dtype.type(text))
            if dtype.kind == "i" and not np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
                raise ValueError
            return value
        except ValueError:
            raise errors.InvalidArgumentError(f"Field {_text(text)} in line {number} is not a valid "
                                              f"{dtype.name}.") from None

    return convert


def _path(filename: Any) -> str:
    name = filename[()] if isinstance(filename, np.ndarray) else filename
    return name.decode(errors="surrogateescape") if isinstance(name, bytes) else str(name)


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
