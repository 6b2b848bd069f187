"""Readers: they take names of files out of a queue, and give what is in the files, record by record.

A reader belongs to the session (session/resources/readers.py; ops/control/session_objects.py says how).
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from graphc.ir import dims
from graphc.ir.dtypes import DType, int64, string
from graphc.ir.elementwise import check_one_string
from graphc.ir.op import attr, register
from graphc.ir.spec import Spec
from graphc.ops.control.queues import QueueOp
from graphc.ops.control.session_objects import ObjectUse, SessionObject

if TYPE_CHECKING:
    from graphc.ir.graph import Operation


class ReaderOp(SessionObject):
    """Makes a reader."""

    kind = "reader"
    results = ("reader_handle",)


@register
class TextLineReaderV2(ReaderOp):
    """Lines, without their ends; of each file the first `skip_header_lines` are left out."""

    skip_header_lines: int = attr("int", 0)
    container: str = attr("string", "")
    shared_name: str = attr("string", "")


@register
class WholeFileReaderV2(ReaderOp):
    """Whole files."""

    container: str = attr("string", "")
    shared_name: str = attr("string", "")


@register
class TFRecordReaderV2(ReaderOp):
    """Records of TFRecord files (graphc/io/records.py)."""

    container: str = attr("string", "")
    shared_name: str = attr("string", "")
    compression_type: str = attr("string", "")


@register
class FixedLengthRecordReaderV2(ReaderOp):
    """Pieces of one length, between a header and a footer. hop_bytes: from one to the next, 0: their length."""

    record_bytes: int = attr("int")
    header_bytes: int = attr("int", 0)
    footer_bytes: int = attr("int", 0)
    hop_bytes: int = attr("int", 0)
    container: str = attr("string", "")
    shared_name: str = attr("string", "")
    encoding: str = attr("string", "")

    def infer(self, *inputs: Spec) -> Spec:
        for name in ("header_bytes", "footer_bytes", "hop_bytes"):
            if getattr(self, name) < 0:
                raise ValueError(f"argument '{name}' must be >= 0, but is {getattr(self, name)}")
        if self.record_bytes <= 0:
            raise ValueError(f"argument 'record_bytes' must be >= 0 and not 0, but is {self.record_bytes}")
        if self.encoding not in ("", "ZLIB", "GZIP"):
            raise ValueError(f"argument 'encoding' must be '', 'ZLIB' or 'GZIP', but is '{self.encoding}'")
        return super().infer(*inputs)


@register
class IdentityReaderV2(ReaderOp):
    """The strings in the queue themselves."""

    container: str = attr("string", "")
    shared_name: str = attr("string", "")


class ReaderUse(ObjectUse):
    """What is done with a reader."""

    operands: ClassVar[tuple[str, ...]] = ("reader_handle",)
    uses = ReaderOp
    hands = QueueOp
    gives: ClassVar[tuple[DType, ...]] = ()

    def infer(self, *inputs: Spec) -> Any:
        specs = tuple(Spec(dtype, ()) for dtype in self.gives)
        return specs if len(specs) != 1 else specs[0]

    def results_of(self, maker: Operation, inputs: Sequence[Spec]) -> tuple[Spec, ...]:
        return tuple(Spec(dtype, ()) for dtype in self.gives)


@register
class ReaderReadV2(ReaderUse):
    """The next record, and where it stands; waits while the queue is empty and no file is being read."""

    operands = ("reader_handle", "queue_handle")
    results = ("key", "value")
    gives = (string, string)
    call = "read"


@register
class ReaderReadUpToV2(ReaderUse):
    """Up to num_records of them, all of one file."""

    operands = ("reader_handle", "queue_handle", "num_records")
    results = ("keys", "values")
    gives = (string, string)
    call = "read_up_to"

    def infer(self, reader: Spec, queue: Spec, count: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        if count.dtype != int64 or count.shape not in (None, ()):
            raise ValueError(f"argument 'num_records' must be one int64, but is {count}")
        return (Spec(string, (dims.symbol("n"),)),) * 2

    def results_of(self, maker: Operation, inputs: Sequence[Spec]) -> tuple[Spec, ...]:
        return (Spec(string, (dims.symbol("n"),)),) * 2


@register
class ReaderNumRecordsProducedV2(ReaderUse):
    """How many records it has given."""

    results = ("records_produced",)
    gives = (int64,)
    call = "num_records_produced"


@register
class ReaderNumWorkUnitsCompletedV2(ReaderUse):
    """How many files it has read to their end."""

    results = ("units_completed",)
    gives = (int64,)
    call = "num_work_units_completed"


@register
class ReaderResetV2(ReaderUse):
    """As if it were new."""

    results = ()
    call = "reset"


@register
class ReaderSerializeStateV2(ReaderUse):
    """How far it is, as a string."""

    results = ("state",)
    gives = (string,)
    call = "serialize_state"


@register
class ReaderRestoreStateV2(ReaderUse):
    """As far as the string says."""

    operands = ("reader_handle", "state")
    results = ()
    call = "restore_state"

    def infer(self, reader: Spec, state: Spec) -> tuple[Spec, ...]:  # type: ignore[override]
        check_one_string(self, "state", state)
        return ()
