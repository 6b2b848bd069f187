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
    r"""Each string in another encoding.

    Args:
        input: strings.
        input_encoding: any that Python knows, as "UTF-8", "ISO-8859-1", "US-ASCII".
        output_encoding: "UTF-8", "UTF-16-BE" or "UTF-32-BE".
        errors: of bytes that are no characters: "replace", "ignore" or "strict" (InvalidArgumentError when run).
        replacement_char: the number of the character in their place.
        replace_control_characters: those below 32, too.

    As `tf.strings.unicode_transcode`.

    Strings of any shape, which the result has. Raises TypeError for anything else, ValueError for another
    output_encoding or `errors`.

    >>> gc.strings.unicode_transcode([b"gr\xf6\xdfe"], "ISO-8859-1", "UTF-8").eval()
    array([b'gr\xc3\xb6\xc3\x9fe'], dtype=object)
    """
    return apply(UnicodeTranscode, input, name=name, input_encoding=input_encoding, output_encoding=output_encoding,
                 errors=errors, replacement_char=replacement_char,
                 replace_control_characters=replace_control_characters)


@public("strings.unicode_encode")
def unicode_encode(input, output_encoding, errors="replace", replacement_char=65533, name=None):
    r"""A string of each row of characters: int32 [..., n] gives strings [...].

    output_encoding, errors and replacement_char as of `gc.strings.unicode_transcode`. Raises ValueError for a scalar or
    an unknown rank. TypeError for what are no integers. As `tf.strings.unicode_encode`.

    >>> gc.strings.unicode_encode([[72, 105], [8364, 33]], "UTF-8").eval()
    array([b'Hi', b'\xe2\x82\xac!'], dtype=object)
    """
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
    """The numbers of the characters of a scalar string, int32 [characters].

    Other arguments as of `gc.strings.unicode_transcode`. Of more than one string TensorFlow's result is ragged, which
    is refused by UnimplementedError. input: a string scalar, else TypeError. As `tf.strings.unicode_decode`.

    >>> gc.strings.unicode_decode("größe", "UTF-8").eval()
    array([103, 114, 246, 223, 101], dtype=int32)
    """
    return apply(UnicodeDecode, _scalar(input, "unicode_decode"), name=name, input_encoding=input_encoding,
                 errors=errors, replacement_char=replacement_char,
                 replace_control_characters=replace_control_characters, Tsplits=int64)[1]


@public("strings.unicode_decode_with_offsets")
def unicode_decode_with_offsets(input, input_encoding, errors="replace", replacement_char=65533,
                                replace_control_characters=False, name=None):
    """(characters, offsets): the numbers of the characters of a scalar string, and the bytes (int64) at which they
    begin.

    Arguments as of `gc.strings.unicode_decode`. Both are [characters], the first int32. More than one string is an
    UnimplementedError; TypeError for what is no string. As `tf.strings.unicode_decode_with_offsets`.

    >>> characters, offsets = gc.strings.unicode_decode_with_offsets("größe", "UTF-8")
    >>> offsets.eval()
    array([0, 1, 2, 4, 6])
    """
    return apply(UnicodeDecodeWithOffsets, _scalar(input, "unicode_decode_with_offsets"), name=name,
                 input_encoding=input_encoding, errors=errors, replacement_char=replacement_char,
                 replace_control_characters=replace_control_characters, Tsplits=int64)[1:]
