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
    """What is in the file when the op runs, a string scalar. As `tf.read_file`. NotFoundError when run if it is not
    there.

    filename: a string scalar. Raises ValueError for more than one, TypeError for what is no string.

    >>> gc.write_file("note.txt", "hello").run()
    >>> gc.read_file("note.txt").eval()
    b'hello'
    """
    result: Tensor = apply(ReadFile, convert_to_tensor(filename, string, name="filename"), name=name)
    return result


@public("write_file", "io.write_file")
def write_file(filename: Any, contents: Any, name: str | None = None) -> Operation:
    """An operation that writes a string into the file, in place of what was there. Folders that are missing are made.

    Both are string scalars. As `tf.write_file`. Raises ValueError for more than one, TypeError for what is no string; a
    file that cannot be written ends the run with the error of the system, as FailedPreconditionError for a folder.

    >>> gc.write_file("notes/one.txt", gc.strings.join(["hel", "lo"])).run()
    >>> open("notes/one.txt").read()
    'hello'
    """
    result: Operation = apply(WriteFile, convert_to_tensor(filename, string, name="filename"),
                              convert_to_tensor(contents, string, name="contents"), name=name)
    return result


@public("matching_files", "io.matching_files")
def matching_files(pattern: Any, name: str | None = None) -> Tensor:
    """The names of files that match a pattern, or one of a vector of patterns, in alphabetic order, when the op runs.

    *, ? and [a-z] stand for parts of a name. The result is string[files], empty if none matches. As
    `tf.matching_files`. Raises ValueError for a pattern of rank 2 or more, TypeError for what is no string.

    >>> for name in ("b.txt", "a.txt", "c.csv"):
    ...     gc.write_file(f"here/{name}", "").run()
    >>> gc.matching_files("here/*.txt").eval()
    array([b'here/a.txt', b'here/b.txt'], dtype=object)
    """
    result: Tensor = apply(MatchingFiles, convert_to_tensor(pattern, string, name="pattern"), name=name)
    return result


@public("decode_csv", "io.decode_csv")
def decode_csv(records: Any, record_defaults: Sequence[Any], field_delim: str = ",", use_quote_delim: bool = True,
               name: str | None = None, na_value: str = "", select_cols: Sequence[int] | None = None) -> list[Tensor]:
    r"""The columns of lines of text, each of the shape of `records` and the dtype of its default.

    record_defaults: one a column: [1.5] and the like for empty fields, [] of a dtype (or a dtype) if it must not be
    empty. use_quote_delim: fields may stand in double quotes. na_value: what counts as empty, too; select_cols: the
    numbers of the columns that are wanted. As `tf.decode_csv`. Fields that do not fit are an InvalidArgumentError when
    run. Raises ValueError for select_cols that do not increase or fit, defaults of more than one element, and a
    field_delim of more than one character; TypeError for defaults other than float32, float64, int32, int64 and string.

    >>> lines = gc.constant(["1,2.5,a", "2,,\"b,c\""])
    >>> number, price, word = gc.decode_csv(lines, [[0], [9.], [""]])
    >>> number.eval(), price.eval(), word.eval()
    (array([1, 2], dtype=int32), array([2.5, 9. ], dtype=float32), array([b'a', b'b,c'], dtype=object))
    """
    if not len(record_defaults):
        raise ValueError("decode_csv: argument 'record_defaults' must have one element for each column, but is empty")
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
