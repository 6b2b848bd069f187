"""How a difference from TensorFlow 2.21's CPU kernels is known: by the op, the kind, the case and the words.

The reasons stand in known_refusals.py (who refuses what) and known_values.py (values, gradients, static shapes);
docs/parity.md prints those that were met.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

# Parts of messages with which TensorFlow refuses what its CPU kernels do not have at all.
NOT_IN_TENSORFLOW = {
    "No OpKernel was registered": "no CPU kernel for the dtype",
    "No WhereOp available": "no CPU kernel for the dtype", "No registered '_Mkl": "oneDNN has no kernel for the case",
    "only supports NHWC": "NHWC only", "NHWC tensor format": "NHWC only", "only supports NDHWC": "NDHWC only",
    "only supportsNDHWC": "NDHWC only",
    "is not in the list of allowed values": "its op does not have the dtype, or the value of an attribute",
    "Operation received an exception": "oneDNN fails",
    "TensorFlow's process ended with signal": "its process dies",
}
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
SHAPES = ("input_sizes", "filter_sizes", "image_size", "orig_input_shape", "size", "shape", "dims")
When = Callable[[Any], bool]


def always(case: Any) -> bool:
    return True


@dataclass(frozen=True)
class Known:
    """A reason.

    kinds: "accepts" (only TensorFlow refuses), "refuses" (only graphc does), "error class" (both refuse, otherwise),
    "value", "gradient", "not finite value" and "not finite gradient" (one is infinite or no number), "shape" (static
    ones), "no gradient" (one of the two has none). when: of which cases. said: part of the words of the difference.
    result: of which result or, of gradients, operand. within: how large the error may be.
    """

    ops: str
    kinds: str
    reason: str
    when: When = always
    said: str = ""
    result: int | None = None
    within: float = np.inf

    def covers(self, case: Any, kind: str, result: int | None, said: str, error: float) -> bool:
        return (error <= self.within and (self.ops == "*" or case.op.type in self.ops.split())
                and kind in self.kinds.split(", ") and self.result in (None, result) and self.said in said
                and self.when(case))


def known(case: Any, kind: str, result: int | None, said: str, error: float) -> Known | None:
    from known_refusals import REFUSALS
    from known_values import VALUES

    return next((entry for entry in (*REFUSALS, *VALUES) if entry.covers(case, kind, result, said, error)), None)


def dtypes(*names: str) -> When:
    return lambda case: bool(case.dtypes & set(names))


def field(name: str, value: Any) -> When:
    return lambda case: case.fields.get(name, getattr(case.op, name, None)) == value


def special(case: Any) -> bool:
    """Whether there are infinities or NaNs among the values."""
    return bool(case.style == "special")


def equals(case: Any) -> bool:
    return case.style in ("special", "ties")


def empty(case: Any) -> bool:
    """Whether an operand or a shape among the fields has no element."""
    return any(v.size == 0 for v in case.values) or any(0 in (case.fields.get(name) or ()) for name in SHAPES)


def repeated(case: Any) -> bool:
    """Whether the indices of an update of rows name one twice."""
    found = case.values[case.op.operands.index("indices")]
    return bool(np.unique(found).size < found.size)


def dilated(case: Any) -> bool:
    return any(d != 1 for d in case.fields["dilations"])


def unequal_strides(case: Any) -> bool:
    """Of a convolution along the depth, whose axes stand in the middle or behind."""
    strides, front = case.fields["strides"], case.fields["data_format"] == "NCDHW"
    return case.fields["padding"] == "SAME" and len(set(strides[2:] if front else strides[1:-1])) > 1


def beside_the_picture(case: Any) -> bool:
    """Whether a window may lie in the padding alone."""
    return case.fields["padding"] == "SAME" and max(case.fields["rates"]) > 1


def banded(case: Any) -> bool:
    """Whether it is of several diagonals."""
    return bool(case.fields["k"][0] != case.fields["k"][-1])


def beyond(case: Any) -> bool:
    """Whether a number to be cast is none of the integers of the dtype."""
    to = case.fields["DstT"]
    if not to.is_integer or case.values[0].dtype.kind in "biu":
        return False
    given = case.values[0].real.astype(np.float64)
    return not bool(np.all((given > float(to.min) - 1) & (given < float(to.max) + 1)))



def twice(case: Any) -> bool:
    """Whether a list of indices of a sparse tensor names a place twice."""
    return any(v.ndim == 2 and v.dtype == np.int64 and len(np.unique(v, axis=0)) < len(v) for v in case.values)


def outside(case: Any) -> bool:
    """Whether numbers of an operand that belong together were changed, maybe to such beyond the others' bounds."""
    return bool(case.style == "outside")


def jpeg(case: Any) -> bool:
    return bytes(case.values[0].item()[:2]) == b"\xff\xd8"


def jpeg_otherwise(case: Any) -> bool:
    """A JPEG of which Pillow gives what there is, or of which only a part is wanted."""
    return jpeg(case) and (bool(case.fields.get("try_recover_truncated")) or case.op.type == "DecodeAndCropJpeg")
