"""Files: `tf.read_file`, `tf.write_file`, `tf.matching_files`, `tf.decode_csv`."""
from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import string
from graphc.ir.graph import get_default_graph
from graphc.ir.tensor import Operation, Tensor
from graphc.ops.files.csv import DecodeCSV
from graphc.ops.files.files import MatchingFiles, ReadFile, WriteFile


@public("read_file", "io.read_file")
def read_file(filename: Any, name: str | None = None) -> Tensor:
    """What is in the file when the op runs, a string, as `tf.read_file`."""
    result: Tensor = apply(ReadFile, convert_to_tensor(filename, string, name="filename"), name=name)
    return result


@public("write_file", "io.write_file")
def write_file(filename: Any, contents: Any, name: str | None = None) -> Operation:
    """Writes a string into the file, as `tf.write_file`. Folders that are missing are made."""
    result: Operation = apply(WriteFile, convert_to_tensor(filename, string, name="filename"),
                              convert_to_tensor(contents, string, name="contents"), name=name)
    return result


@public("matching_files", "io.matching_files")
def matching_files(pattern: Any, name: str | None = None) -> Tensor:
    """The names of files that match a pattern, or one of several, in alphabetic order, as `tf.matching_files`."""
    result: Tensor = apply(MatchingFiles, convert_to_tensor(pattern, string, name="pattern"), name=name)
    return result


@public("decode_csv", "io.decode_csv")
def decode_csv(records: Any, record_defaults: Sequence[Any], field_delim: str = ",", use_quote_delim: bool = True,
               name: str | None = None, na_value: str = "", select_cols: Sequence[int] | None = None) -> list[Tensor]:
    """The columns of lines of text, each of the shape of `records` and the dtype of its default, as `tf.decode_csv`."""
    chosen = list(select_cols) if select_cols is not None else []
    if any(b <= a for a, b in itertools.pairwise(chosen)):
        raise ValueError("select_cols is not strictly increasing.")
    if chosen and chosen[0] < 0:
        raise ValueError("select_cols contains negative values.")
    if select_cols is not None and len(chosen) != len(record_defaults):
        raise ValueError("Length of select_cols and record_defaults do not match.")
    with get_default_graph().name_scope(name or "DecodeCSV") as scope:
        defaults = [convert_to_tensor(d, name=f"record_defaults_{i}") for i, d in enumerate(record_defaults)]
        made = apply(DecodeCSV, convert_to_tensor(records, string, name="records"), defaults, name=scope,
                     OUT_TYPE=tuple(d.dtype for d in defaults), field_delim=field_delim,
                     use_quote_delim=use_quote_delim, na_value=na_value, select_cols=tuple(chosen))
    return list(made)
