"""Parts of strings, joined and split."""
from __future__ import annotations

from graphc.api.array.broadcast import broadcast_to
from graphc.api.array.shapes import broadcast_dynamic_shape, expand_dims, shape
from graphc.api.public import public
from graphc.errors import UnimplementedError
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import string
from graphc.ir.graph import get_default_graph
from graphc.ir.late_imports import load
from graphc.ops.strings.join import ReduceJoin, StringJoin, StringSplit, StringSplitV2, UnsortedSegmentJoin
from graphc.ops.strings.letters import StringLength, StringLower, StringStrip, StringUpper, Substr


@public("strings.join", "string_join")
def string_join(inputs, separator="", name=None):
    """The strings at each place of the tensors `inputs`, one behind the other, as `tf.strings.join`."""
    return apply(StringJoin, list(inputs), name=name, separator=separator)


def joined_broadcast(x, y, name=None):
    """x + y of strings, broadcast. TensorFlow has the op Add for it, which is one of numbers here."""
    with get_default_graph().name_scope(name or "add"):
        x, y = convert_to_tensor(x, string, name="x"), convert_to_tensor(y, string, name="y")
        sizes = x.spec.static_shape, y.spec.static_shape
        if () not in sizes and (None in sizes or None in (*sizes[0], *sizes[1]) or sizes[0] != sizes[1]):
            both = broadcast_dynamic_shape(shape(x), shape(y))
            x, y = broadcast_to(x, both), broadcast_to(y, both)
        return string_join([x, y])


@public("strings.reduce_join", "reduce_join")
def reduce_join(inputs, axis=None, keep_dims=None, separator="", name=None, reduction_indices=None, keepdims=None):
    """The strings along `axis` as one, the first axis of a list running fastest; without `axis` all of them, in
    row-major order. As `tf.reduce_join`."""
    if axis is not None and reduction_indices is not None:
        raise ValueError("reduce_join: give 'axis' or 'reduction_indices', not both")
    axis = reduction_indices if axis is None else axis
    keep = keepdims if keepdims is not None else bool(keep_dims)
    tensor = convert_to_tensor(inputs, string, name="inputs")
    if axis is None:
        if tensor.shape.ndims is None:
            raise UnimplementedError("reduce_join: the rank of 'inputs' is not known; give it a shape (set_shape), or "
                                     "an axis")
        axis = list(range(tensor.shape.ndims - 1, -1, -1))
    return apply(ReduceJoin, tensor, axis, name=name, keep_dims=keep, separator=separator)


@public("strings.unsorted_segment_join")
def unsorted_segment_join(inputs, segment_ids, num_segments, separator="", name=None):
    """For each segment the strings with its number, one behind the other, as `tf.strings.unsorted_segment_join`."""
    return apply(UnsortedSegmentJoin, inputs, segment_ids, num_segments, name=name, separator=separator)


def _sparse(parts, result_type, function):
    if result_type == "RaggedTensor":
        raise UnimplementedError(f"{function}: result_type='RaggedTensor' is not supported, as there are no ragged "
                                 "tensors; take the SparseTensor, and make it dense")
    if result_type != "SparseTensor":
        raise ValueError("result_type must be 'RaggedTensor' or 'SparseTensor'.")
    indices, values, shape = parts
    return load("graphc.api.sparse.tensor").SparseTensor(indices, values, shape)


@public("string_split")
def string_split(source, sep=None, skip_empty=True, delimiter=None, result_type="SparseTensor", name=None):
    """The parts of each string of the vector `source` between characters of `sep` (a blank if left out) as a
    SparseTensor, as `tf.string_split`."""
    if sep is not None and delimiter is not None:
        raise ValueError("string_split: give 'sep' or 'delimiter', not both")
    sep = delimiter if sep is None else sep
    return _sparse(apply(StringSplit, source, " " if sep is None else sep, name=name, skip_empty=skip_empty),
                   result_type, "string_split")


@public("strings.split")
def strings_split(input=None, sep=None, maxsplit=-1, result_type="SparseTensor", source=None, name=None):
    """The parts of each string between occurrences of `sep` (white space if left out) as a SparseTensor, as
    `tf.strings.split`."""
    if (input is None) == (source is None):
        raise ValueError("strings.split: give the strings, as 'input'")
    tensor = convert_to_tensor(source if input is None else input, string, name="input")
    if tensor.shape.ndims == 0:
        tensor = expand_dims(tensor, 0)
    return _sparse(apply(StringSplitV2, tensor, "" if sep is None else sep, name=name, maxsplit=maxsplit), result_type,
                   "strings.split")


@public("strings.strip", "string_strip")
def string_strip(input, name=None):
    """Without white space in front and behind. As `tf.strings.strip`."""
    return apply(StringStrip, input, name=name)


@public("strings.lower")
def string_lower(input, encoding="", name=None):
    """In small letters; encoding="utf-8": not only those of ASCII. As `tf.strings.lower`."""
    return apply(StringLower, input, name=name, encoding=encoding)


@public("strings.upper")
def string_upper(input, encoding="", name=None):
    """In capitals; encoding="utf-8": not only those of ASCII. As `tf.strings.upper`."""
    return apply(StringUpper, input, name=name, encoding=encoding)


@public("strings.length")
def string_length(input, name=None, unit="BYTE"):
    """The number of bytes, or of characters (unit="UTF8_CHAR"), as int32. As `tf.strings.length`."""
    return apply(StringLength, input, name=name, unit=unit)


@public("strings.substr", "substr")
def substr(input, pos, len, name=None, unit="BYTE"):
    """`len` bytes or characters (unit="UTF8_CHAR") from `pos` on, as `tf.strings.substr`."""
    with get_default_graph().name_scope(name or "Substr") as scope:
        input, pos = convert_to_tensor(input, string, name="input"), convert_to_tensor(pos, name="pos")
        return apply(Substr, input, pos, convert_to_tensor(len, pos.dtype, name="len"), name=scope, unit=unit)
