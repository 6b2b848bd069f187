"""Characters as numbers, and strings in other encodings."""
from __future__ import annotations

from graphc.api.array.shapes import reshape, shape
from graphc.api.public import public
from graphc.errors import UnimplementedError
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import int32, int64, string
from graphc.ops.array.fill import Range
from graphc.ops.strings.unicode import UnicodeDecode, UnicodeDecodeWithOffsets, UnicodeEncode, UnicodeTranscode

_RAGGED = "there are no ragged tensors"


@public("strings.unicode_transcode")
def unicode_transcode(input, input_encoding, output_encoding, errors="replace", replacement_char=65533,
                      replace_control_characters=False, name=None):
    """Strings in another encoding, as `tf.strings.unicode_transcode`."""
    return apply(UnicodeTranscode, input, name=name, input_encoding=input_encoding, output_encoding=output_encoding,
                 errors=errors, replacement_char=replacement_char,
                 replace_control_characters=replace_control_characters)


@public("strings.unicode_encode")
def unicode_encode(input, output_encoding, errors="replace", replacement_char=65533, name=None):
    """A string of each row of characters, as `tf.strings.unicode_encode`: of a vector one string."""
    tensor = convert_to_tensor(input, int32, name="input")
    if tensor.shape.ndims is None:
        raise ValueError("Rank of input_tensor must be statically known.")
    if tensor.shape.ndims == 0:
        raise ValueError("input_tensor's rank must be at least 1.")
    sizes = shape(tensor, out_type=int64)
    length = sizes[-1]
    count = 1
    for axis in range(tensor.shape.ndims - 1):
        count = sizes[axis] * count
    flat = reshape(tensor, [-1])
    splits = apply(Range, 0, count + 1, 1, dtype=int64) * length
    made = apply(UnicodeEncode, flat, splits, name=name, output_encoding=output_encoding, errors=errors,
                 replacement_char=replacement_char)
    return reshape(made, sizes[:-1])


def _scalar(input, function):
    tensor = convert_to_tensor(input, string, name="input")
    if tensor.shape.ndims != 0:
        raise UnimplementedError(f"{function}: of more than one string the result is ragged, and {_RAGGED}; decode a "
                                 "scalar string, or gc.py_func")
    return tensor


@public("strings.unicode_decode")
def unicode_decode(input, input_encoding, errors="replace", replacement_char=65533, replace_control_characters=False,
                   name=None):
    """The characters of a string, as `tf.strings.unicode_decode` of a scalar."""
    return apply(UnicodeDecode, _scalar(input, "unicode_decode"), name=name, input_encoding=input_encoding,
                 errors=errors, replacement_char=replacement_char,
                 replace_control_characters=replace_control_characters, Tsplits=int64)[1]


@public("strings.unicode_decode_with_offsets")
def unicode_decode_with_offsets(input, input_encoding, errors="replace", replacement_char=65533,
                                replace_control_characters=False, name=None):
    """The characters of a string and the bytes at which they begin, as `tf.strings.unicode_decode_with_offsets` of a
    scalar."""
    return apply(UnicodeDecodeWithOffsets, _scalar(input, "unicode_decode_with_offsets"), name=name,
                 input_encoding=input_encoding, errors=errors, replacement_char=replacement_char,
                 replace_control_characters=replace_control_characters, Tsplits=int64)[1:]
