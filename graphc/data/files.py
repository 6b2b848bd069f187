"""Datasets of files: TextLineDataset, TFRecordDataset, FixedLengthRecordDataset."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public
from graphc.data import readers
from graphc.data.dataset import Dataset
from graphc.data.mapping import Interleave
from graphc.data.pipeline import parameter


def _packed(compression_type: Any) -> Any:
    return gc.convert_to_tensor(compression_type) if isinstance(compression_type, gc.Variable) else compression_type


class _FileDataset(Dataset):
    """kind: the step that reads files. filenames: a string, strings, a tensor or a dataset of them."""

    def _read(self, kind: type[readers.Files], filenames: Any, compression_type: Any, *options: Any) -> None:
        if not isinstance(filenames, Dataset):
            super().__init__(kind(filenames, _packed(compression_type), *options))
            return
        function = filenames._function(lambda name: Dataset(kind(name, _packed(compression_type), *options)), "files")
        super().__init__(Interleave(filenames._step, function, 1, 1, "files"))


@public("data.TextLineDataset", "contrib.data.TextLineDataset", "python.data.ops.readers.TextLineDataset")
class TextLineDataset(_FileDataset):
    r"""The lines of text files, as `tf.data.TextLineDataset`. compression_type: "", "ZLIB" or "GZIP".

    Elements are string scalars, without the end of the line ("\n", "\r\n"). filenames: a string, or a vector of them
    (TypeError). A run ends with NotFoundError for a file that is not there, with DataLossError for one compressed in
    another way.

    >>> gc.io.write_file("lines.txt", "one\ntwo\n").run()
    >>> line = gc.data.TextLineDataset("lines.txt").make_one_shot_iterator().get_next()
    >>> line.eval(), line.eval()
    (b'one', b'two')
    """

    def __init__(self, filenames: Any, compression_type: Any = None, buffer_size: Any = None,
                 num_parallel_reads: Any = None) -> None:
        self._read(readers.Lines, filenames, compression_type)


@public("data.TFRecordDataset", "contrib.data.TFRecordDataset", "python.data.ops.readers.TFRecordDataset")
class TFRecordDataset(_FileDataset):
    """The records of TFRecord files, as `tf.data.TFRecordDataset`. num_parallel_reads: so many files in turn.
    compression_type: "", "ZLIB" or "GZIP".

    Elements are string scalars. filenames: a string, or a vector of them (TypeError). A run ends with NotFoundError for
    a file that is not there, with DataLossError for a damaged one, or one compressed in another way.

    >>> with gc.io.TFRecordWriter("two.tfrecord") as writer:
    ...     writer.write(b"first")
    ...     writer.write(b"second")
    >>> record = gc.data.TFRecordDataset(["two.tfrecord"]).make_one_shot_iterator().get_next()
    >>> record.eval(), record.eval()
    (b'first', b'second')
    """

    def __init__(self, filenames: Any, compression_type: Any = None, buffer_size: Any = None,
                 num_parallel_reads: Any = None) -> None:
        if num_parallel_reads is None:
            self._read(readers.Records, filenames, compression_type)
            return
        names = filenames if isinstance(filenames, Dataset) else Dataset.from_tensor_slices(
            [filenames] if isinstance(filenames, str) else filenames)
        packed = _packed(compression_type)
        function = names._function(lambda name: Dataset(readers.Records(name, packed)), "files")
        Dataset.__init__(self, Interleave(names._step, function, parameter(num_parallel_reads, "num_parallel_reads"), 1,
                                          "files"))


@public("data.FixedLengthRecordDataset", "contrib.data.FixedLengthRecordDataset",
        "python.data.ops.readers.FixedLengthRecordDataset")
class FixedLengthRecordDataset(_FileDataset):
    """Records of record_bytes each, as `tf.data.FixedLengthRecordDataset`. InvalidArgumentError if a file does not hold
    a whole number of them.
    header_bytes, footer_bytes: how many are left out at the beginning and the end of each file. Elements are string
    scalars: gc.decode_raw makes numbers of them.

    >>> gc.io.write_file("records.bin", "headaabbcc").run()
    >>> records = gc.data.FixedLengthRecordDataset("records.bin", record_bytes=2, header_bytes=4)
    >>> record = records.make_one_shot_iterator().get_next()
    >>> [record.eval() for _ in range(3)]
    [b'aa', b'bb', b'cc']
    """

    def __init__(self, filenames: Any, record_bytes: Any, header_bytes: Any = None, footer_bytes: Any = None,
                 buffer_size: Any = None, compression_type: Any = None, num_parallel_reads: Any = None) -> None:
        sizes = [parameter(0 if n is None else n, name) for n, name in (
            (record_bytes, "record_bytes"), (header_bytes, "header_bytes"), (footer_bytes, "footer_bytes"))]
        self._read(readers.FixedLength, filenames, compression_type, *sizes)
