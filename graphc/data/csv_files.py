"""Datasets of CSV files: CsvDataset, make_csv_dataset."""
from __future__ import annotations

import csv
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

import graphc as gc
from graphc.api.public import public
from graphc.data.dataset import Dataset
from graphc.data.readers import Lines
from graphc.io.records import TFRecordOptions, open_packed


class CsvRecords(Lines):
    """Lines, with those that go on inside of quotes. options: whether the first line is a header, and quotes count."""

    def records(self, name: Any, how: TFRecordOptions, *numbers: int) -> Iterator[bytes]:
        header, quotes = numbers
        lines = super().records(name, how)
        for line in islice(lines, header, None):
            while quotes and line.count(b'"') % 2:
                more = next(lines, None)
                if more is None:
                    break
                line += b"\n" + more
            yield line


@public("data.experimental.CsvDataset", "contrib.data.CsvDataset")
class CsvDataset(Dataset):
    r"""The records of CSV files, tuples of scalars, as `tf.data.experimental.CsvDataset`. record_defaults: of each
    column that is read the dtype, or a value for where the field is empty.
    header: the first line of each file is left out. na_value: a text that means an empty field. select_cols: the
    numbers of the columns to read, ascending. A row with another number of fields is an InvalidArgumentError.

    >>> gc.io.write_file("rows.csv", "name,age\nAda,36\nAlan,\n").run()
    >>> people = gc.data.experimental.CsvDataset("rows.csv", [gc.string, -1], header=True)
    >>> row = people.make_one_shot_iterator().get_next()
    >>> session = gc.get_default_session()
    >>> session.run(row), session.run(row)
    ((b'Ada', np.int32(36)), (b'Alan', np.int32(-1)))
    """

    def __init__(self, filenames: Any, record_defaults: Sequence[Any], compression_type: Any = None,
                 buffer_size: Any = None, header: bool = False, field_delim: str = ",", use_quote_delim: bool = True,
                 na_value: str = "", select_cols: Sequence[int] | None = None) -> None:
        records = Dataset(CsvRecords(filenames, compression_type, int(bool(header)), int(bool(use_quote_delim))))
        defaults = [_default(d) for d in record_defaults]

        def columns(record: gc.Tensor) -> tuple[gc.Tensor, ...]:
            return tuple(gc.decode_csv(record, [gc.constant(value, dtype) for value, dtype in defaults], field_delim,
                                       use_quote_delim, na_value=na_value, select_cols=select_cols))

        super().__init__(records.map(columns)._step)


def _default(given: Any) -> tuple[Any, Any]:
    """(value, dtype); no value for a dtype: the field must be there."""
    if isinstance(given, (gc.DType, type)):
        return [], gc.as_dtype(given)
    if isinstance(given, gc.Tensor):
        known = gc.get_static_value(given)
        if known is None:
            raise ValueError(f"record_defaults must be known when the dataset is made, but '{given.name}' is not")
        return known.tolist(), given.dtype
    value = given if isinstance(given, (list, tuple, np.ndarray)) else [given]
    with gc.Graph().as_default():
        return value, gc.convert_to_tensor(value).dtype


@public("data.experimental.make_csv_dataset", "contrib.data.make_csv_dataset")
def make_csv_dataset(file_pattern: Any, batch_size: Any, column_names: Sequence[str] | None = None,
                     column_defaults: Sequence[Any] | None = None, label_name: str | None = None,
                     select_columns: Sequence[Any] | None = None, field_delim: str = ",", use_quote_delim: bool = True,
                     na_value: str = "", header: bool = True, num_epochs: Any = None, shuffle: bool = True,
                     shuffle_buffer_size: int = 10000, shuffle_seed: Any = None, prefetch_buffer_size: Any = None,
                     num_parallel_reads: Any = None, sloppy: bool = False, num_rows_for_inference: int | None = 100,
                     compression_type: str | None = None) -> Dataset:
    r"""Batches of CSV files' columns, an OrderedDict (and the label), as `tf.data.experimental.make_csv_dataset`.
    Without column_defaults the dtypes are those of the first rows.
    num_epochs: None for ever. label_name: the column that becomes the second part of each element.

    Raises ValueError if no file matches, for names that are there twice, without names or a header, or if label_name is
    no column; a value that does not fit its column's dtype ends a run with InvalidArgumentError.

    >>> gc.io.write_file("people.csv", "name,age,tall\nAda,36,1\nAlan,41,0\n").run()
    >>> batches = gc.data.experimental.make_csv_dataset("people.csv", 2, label_name="tall", num_epochs=1, shuffle=False)
    >>> features, tall = batches.make_one_shot_iterator().get_next()
    >>> gc.get_default_session().run([features["name"], features["age"], tall])
    [array([b'Ada', b'Alan'], dtype=object), array([36, 41], dtype=int32), array([1, 0], dtype=int32)]
    """
    patterns = [file_pattern] if isinstance(file_pattern, str) else list(file_pattern)
    files = sorted(name for pattern in patterns for name in gc.io.gfile.glob(pattern))
    if not files:
        raise ValueError(f"No files match {', '.join(patterns)}.")
    rows = _rows(files, compression_type, field_delim, use_quote_delim)
    names = list(column_names) if column_names is not None else _header(rows, header)
    if len(set(names)) != len(names):
        raise ValueError("Cannot have duplicate column names.")
    chosen = None if select_columns is None else sorted(names.index(c) if isinstance(c, str) else int(c)
                                                        for c in select_columns)
    kept = names if chosen is None else [names[i] for i in chosen]
    if label_name is not None and label_name not in kept:
        raise ValueError("`label_name` provided must be one of the columns.")
    if column_defaults is None:
        found = islice((row for file in rows for row in file[int(header):]), num_rows_for_inference)
        column_defaults = _inferred(list(found), range(len(names)) if chosen is None else chosen, na_value)

    def named(*columns: gc.Tensor) -> Any:
        features = OrderedDict(zip(kept, columns, strict=True))
        return features if label_name is None else (features, features.pop(label_name))

    data = CsvDataset(files, column_defaults, compression_type, None, header, field_delim, use_quote_delim, na_value,
                      chosen)
    mapped = data.map(lambda *columns: named(*columns))
    if shuffle:
        mapped = mapped.shuffle(shuffle_buffer_size, shuffle_seed)
    return mapped.repeat(num_epochs).batch(batch_size, drop_remainder=num_epochs is None)


def _rows(files: Sequence[str], compression_type: str | None, delimiter: str, quotes: bool) -> list[list[list[str]]]:
    """The fields of each file's rows."""
    found = []
    for name in files:
        source = open_packed(name, TFRecordOptions(compression_type or ""))
        with source.file:
            lines = source.read_all().decode().splitlines(keepends=True)
        found.append([row for row in csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quotes
                                                else csv.QUOTE_NONE) if row])
    return found


def _header(rows: list[list[list[str]]], header: bool) -> list[str]:
    if not header:
        raise ValueError("Cannot infer column names without a header line.")
    if any(file[0] != rows[0][0] for file in rows):
        raise ValueError("Files have different column names in the header row.")
    return rows[0][0]


def _inferred(rows: Sequence[Sequence[str]], columns: Sequence[int], na_value: str) -> list[Any]:
    """The default of each column: of the narrowest dtype that all its fields have."""
    kinds = (gc.int32, gc.int64, gc.float32, gc.float64, gc.string)
    found = []
    for column in columns:
        place = -1
        for row in rows:
            if row[column] not in ("", na_value):
                place = max(place, 0)
                while not _fits(row[column], kinds[place]):
                    place += 1
        dtype = kinds[place]
        found.append(gc.constant([""] if dtype == gc.string else [0], dtype))
    return found


def _fits(text: str, dtype: Any) -> bool:
    if dtype == gc.string:
        return True
    try:
        if dtype.is_integer:
            return int(dtype.min) <= int(text) <= int(dtype.max)
        value = float(text)
        return dtype == gc.float64 or abs(value) <= float(dtype.max) or not np.isfinite(value)
    except ValueError:
        return False
