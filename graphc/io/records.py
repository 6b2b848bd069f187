"""Files of records (TFRecord): written and read, plain or compressed as a whole.

    a record   length (8 bytes), masked CRC-32C of those (4), the data, masked CRC-32C of the data (4); little-endian
    a file     records, one after the other; as ZLIB or GZIP, that as one stream

Nothing in a file is trusted: a length is used once its checksum is right and the file is that long.
"""
from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, ClassVar

from graphc import errors
from graphc.api.public import public
from graphc.io.crc32c import masked_crc32c

_LENGTH, _CHECKSUM = struct.Struct("<Q"), struct.Struct("<I")
_PIECE = 1 << 18
_GZIP_BITS = 16            # added to the bits of the window: a header and a trailer of gzip


@public("python_io.TFRecordCompressionType", "io.TFRecordCompressionType")
class TFRecordCompressionType:
    """The numbers NONE, ZLIB and GZIP for TFRecordOptions, as `tf.python_io.TFRecordCompressionType`.

    >>> kinds = gc.io.TFRecordCompressionType
    >>> gc.io.TFRecordOptions.get_compression_type_string(kinds.GZIP), kinds.NONE
    ('GZIP', 0)
    """

    NONE = 0
    ZLIB = 1
    GZIP = 2


@public("python_io.TFRecordOptions", "io.TFRecordOptions")
class TFRecordOptions:
    """How a file is compressed, as `tf.python_io.TFRecordOptions`.

    compression_type: a TFRecordCompressionType, or "", "ZLIB", "GZIP". The others are zlib's (flush_mode is what
    TFRecordWriter.flush does: 0, the default, leaves in zlib what it holds back). Sizes of buffers change no result.
    Raises ValueError for another compression_type.

    >>> options = gc.io.TFRecordOptions("GZIP", compression_level=9)
    >>> with gc.io.TFRecordWriter("small.tfrecord.gz", options) as writer:
    ...     writer.write(b"record")
    >>> list(gc.io.tf_record_iterator("small.tfrecord.gz", options))
    [b'record']
    """

    compression_type_map: ClassVar = {TFRecordCompressionType.ZLIB: "ZLIB", TFRecordCompressionType.GZIP: "GZIP",
                                      TFRecordCompressionType.NONE: ""}

    def __init__(self, compression_type: Any = None, flush_mode: int | None = None,
                 input_buffer_size: int | None = None, output_buffer_size: int | None = None,
                 window_bits: int | None = None, compression_level: int | None = None,
                 compression_method: int | None = None, mem_level: int | None = None,
                 compression_strategy: int | None = None) -> None:
        self.get_compression_type_string(compression_type)
        self.compression_type = compression_type
        self.flush_mode = flush_mode
        self.input_buffer_size, self.output_buffer_size = input_buffer_size, output_buffer_size
        self.window_bits = window_bits
        self.compression_level, self.compression_method = compression_level, compression_method
        self.mem_level, self.compression_strategy = mem_level, compression_strategy

    @classmethod
    def get_compression_type_string(cls, options: Any) -> str:
        """"", "ZLIB" or "GZIP" for TFRecordOptions, or one of the values that they take."""
        if isinstance(options, TFRecordOptions):
            return cls.get_compression_type_string(options.compression_type)
        if options is None or options == "":
            return ""
        if options in ("ZLIB", "GZIP"):
            return str(options)
        if isinstance(options, int) and options in cls.compression_type_map:
            return str(cls.compression_type_map[options])
        raise ValueError(f'Not a valid compression_type: "{options}"; it is one of gc.io.TFRecordCompressionType')

    def _window(self) -> int:
        gzip = self.get_compression_type_string(self) == "GZIP"
        return (self.window_bits or zlib.MAX_WBITS) + (_GZIP_BITS if gzip else 0)

    def _compressor(self) -> Any:
        """None: the file is not compressed."""
        if not self.get_compression_type_string(self):
            return None
        level = -1 if self.compression_level is None else self.compression_level
        return zlib.compressobj(level, self.compression_method or zlib.DEFLATED, self._window(),
                                self.mem_level or zlib.DEF_MEM_LEVEL, self.compression_strategy or 0)


def _options(given: Any) -> TFRecordOptions:
    return given if isinstance(given, TFRecordOptions) else TFRecordOptions(given)


@public("python_io.TFRecordWriter", "io.TFRecordWriter")
class TFRecordWriter:
    """Writes records to a new file (one that is there is replaced), as `tf.python_io.TFRecordWriter`.

    options: TFRecordOptions, or what those take as compression_type.
    write(record) takes bytes, mostly a message's SerializeToString(); flush() and close(), which the `with` block
    does. Raises ValueError for another compression_type; write raises TypeError for what is neither bytes nor a string,
    FailedPreconditionError after close().

    >>> with gc.io.TFRecordWriter("examples.tfrecord") as writer:
    ...     for age in (36, 41):
    ...         example = gc.train.Example()
    ...         example.features.feature["age"].int64_list.value.append(age)
    ...         writer.write(example.SerializeToString())
    >>> record = gc.data.TFRecordDataset("examples.tfrecord").make_one_shot_iterator().get_next()
    >>> parsed = gc.parse_single_example(record, {"age": gc.FixedLenFeature([], gc.int64)})
    >>> gc.get_default_session().run(parsed)
    {'age': np.int64(36)}
    """

    def __init__(self, path: str, options: Any = None) -> None:
        self._path, self._how = os.fsdecode(path), _options(options)
        self._compressor = self._how._compressor()
        try:
            self._file: BinaryIO | None = open(self._path, "wb")
        except OSError as error:
            raise errors.of_file(self._path, error) from None

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def write(self, record: bytes | str) -> None:
        """Adds a record. A str is written as UTF-8."""
        if not isinstance(record, (bytes, str)):
            raise TypeError(f"TFRecordWriter.write: argument 'record' must be bytes, but is {type(record).__name__}")
        self._put(framed(record.encode() if isinstance(record, str) else record))

    def flush(self) -> None:
        """What was written is in the file; of a compressed one, what zlib does not hold back (flush_mode)."""
        if self._compressor is not None and self._how.flush_mode:
            self._put(b"", self._how.flush_mode)
        with self._errors():
            self._open_file().flush()

    def close(self) -> None:
        """Writes what is left and closes the file."""
        if self._file is None:
            return
        with self._errors(), self._file as file:
            self._file = None
            if self._compressor is not None:
                file.write(self._compressor.flush())

    def _put(self, data: bytes, flush_mode: int | None = None) -> None:
        file = self._open_file()
        if self._compressor is not None:
            data = self._compressor.compress(data) + (self._compressor.flush(flush_mode) if flush_mode else b"")
        with self._errors():
            file.write(data)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise errors.of_file(self._path, error) from None

    def _open_file(self) -> BinaryIO:
        if self._file is None:
            raise errors.FailedPreconditionError("Writer is closed.")
        return self._file


def framed(record: bytes) -> bytes:
    """The record as it stands in a file."""
    length = _LENGTH.pack(len(record))
    return b"".join((length, _CHECKSUM.pack(masked_crc32c(length)), record, _CHECKSUM.pack(masked_crc32c(record))))


@public("python_io.tf_record_iterator", "io.tf_record_iterator")
def tf_record_iterator(path: str, options: Any = None) -> Iterator[bytes]:
    """The records of a file, as `tf.python_io.tf_record_iterator`. Raises NotFoundError if there is no such file,
    DataLossError for one that is damaged, cut off or compressed in another way than options say.

    >>> with gc.io.TFRecordWriter("two.tfrecord") as writer:
    ...     writer.write(b"first")
    ...     writer.write(b"second")
    >>> list(gc.io.tf_record_iterator("two.tfrecord"))
    [b'first', b'second']
    """
    return (record for _, record in records_at(open_packed(path, options)))


def open_packed(path: str | bytes, options: Any) -> Source:
    """The file, to be read unpacked."""
    name = os.fsdecode(path)
    try:
        return Source(name, open(name, "rb"), _options(options))
    except OSError as error:
        raise errors.of_file(name, error) from None


def records_at(source: Source) -> Iterator[tuple[int, bytes]]:
    """The records, each after its place in the (unpacked) file."""
    with source.file:
        while True:
            start = source.position
            head = source.read(_LENGTH.size + _CHECKSUM.size)
            if not head:
                return
            if len(head) < _LENGTH.size + _CHECKSUM.size:
                raise source.damaged("truncated", start)
            length, = _LENGTH.unpack_from(head)
            if _CHECKSUM.unpack_from(head, _LENGTH.size)[0] != masked_crc32c(head[:_LENGTH.size]):
                raise source.damaged("corrupted", start)
            data = source.read(length + _CHECKSUM.size)
            if len(data) < length + _CHECKSUM.size:
                raise source.damaged("truncated", start)
            record = data[:length]
            if _CHECKSUM.unpack_from(data, length)[0] != masked_crc32c(record):
                raise source.damaged("corrupted", start)
            yield start, record


class Source:
    """A file's bytes, unpacked. position: how many have been read."""

    def __init__(self, name: str, file: BinaryIO, how: TFRecordOptions) -> None:
        self.name, self.file, self.position = name, file, 0
        self._packed = how.get_compression_type_string(how)
        self._window = how._window()
        self._unpacker: Any = zlib.decompressobj(self._window) if self._packed else None
        self._rest = b""                   # unpacked, and not yet read

    def read(self, count: int) -> bytes:
        """So many bytes, or what there is."""
        made = self._plain(count) if self._unpacker is None else self._unpacked(count)
        self.position += len(made)
        return made

    def read_all(self) -> bytes:
        """What is left."""
        if self._unpacker is None:
            return self.file.read()
        return self._rest + b"".join(iter(self._piece, b""))

    def _plain(self, count: int) -> bytes:
        if count > _PIECE:                     # less may be there anyway: a file that grows, a pipe
            count = min(count, max(os.fstat(self.file.fileno()).st_size - self.position, _PIECE))
        return self.file.read(count)

    def _unpacked(self, count: int) -> bytes:
        pieces, found = [self._rest], len(self._rest)
        while found < count:
            piece = self._piece()
            if not piece:
                break
            pieces.append(piece)
            found += len(piece)
        data = b"".join(pieces)
        self._rest = data[count:]
        return data[:count]

    def _piece(self) -> bytes:
        """Some unpacked bytes; none at the end of the file, which may stand before that of what is packed."""
        while True:
            data = self._packed_bytes()
            try:
                piece: bytes = self._unpacker.decompress(data, _PIECE)
            except zlib.error as error:
                raise errors.DataLossError(f"{self.name}: no {self._packed} data ({error}); TFRecordOptions say how "
                                           "the file is compressed") from None
            if piece or not data:
                return piece

    def _packed_bytes(self) -> bytes:
        """What the unpacker is to be given next; a new one for what stands after the end of packed data."""
        if not self._unpacker.eof:
            return self._unpacker.unconsumed_tail or self.file.read(_PIECE)
        data = self._unpacker.unused_data or self.file.read(_PIECE)
        self._unpacker = zlib.decompressobj(self._window)
        return data

    def damaged(self, how: str, start: int) -> errors.DataLossError:
        return errors.DataLossError(f"{self.name}: {how} record at {start}")
