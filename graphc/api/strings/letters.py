"""Parts of strings, joined and split."""
from __future__ import annotations

from graphc.api.array.broadcast import broadcast_to
from graphc.api.array.grids import unravel_index
from graphc.api.array.join import concat
from graphc.api.array.shapes import broadcast_dynamic_shape, expand_dims, reshape, shape
from graphc.api.array.transpose import transpose
from graphc.api.public import public
from graphc.errors import UnimplementedError
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import int64, string
from graphc.ir.graph import get_default_graph
from graphc.ir.late_imports import load
from graphc.ops.strings.join import ReduceJoin, StringJoin, StringSplit, StringSplitV2, UnsortedSegmentJoin
from graphc.ops.strings.letters import StringLength, StringLower, StringStrip, StringUpper, Substr


@public("strings.join", "string_join")
def string_join(inputs, separator="", name=None):
    """The strings at each place of the tensors `inputs`, one after the other, with separator between them.

    inputs: a list of string tensors of one shape, or scalars, which go to every place. As `tf.strings.join`. Raises
    ValueError for other shapes, TypeError for what is no string.

    >>> gc.strings.join([["a", "b"], "c"], separator="-").eval()
    array([b'a-c', b'b-c'], dtype=object)
    """
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
    """The strings along `axis` as one; without `axis` all of them, in row-major order.

    axis: an int or a list, whose first axis runs fastest; reduction_indices is its older name. keepdims (keep_dims):
    the axes stay, with size 1. separator: between the strings. ValueError if an argument is given under both names.
    inputs: strings of any shape, whose other axes the result has. TypeError for what is no string; without an axis
    UnimplementedError for an unknown rank. As `tf.strings.reduce_join`.

    >>> x = gc.constant([["a", "b"], ["c", "d"]])
    >>> gc.strings.reduce_join(x, axis=1, separator=" ").eval()
    array([b'a b', b'c d'], dtype=object)
    >>> gc.strings.reduce_join(x).eval()
    b'abcd'
    """
    if axis is not None and reduction_indices is not None:
        raise ValueError("reduce_join: give 'axis' or 'reduction_indices', not both")
    if keepdims is not None and keep_dims is not None:
        raise ValueError("reduce_join: give 'keepdims' or 'keep_dims', not both")
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
    """For each segment the strings with its number, one after the other: string [num_segments, ...].

    inputs: strings [*ids, ...]; segment_ids: int32 or int64 of the shape of their first axes; negative ones leave a
    string out, one from num_segments on ends the run with InvalidArgumentError. As `tf.strings.unsorted_segment_join`.
    Raises TypeError for other dtypes, ValueError for shapes that do not fit, and a negative num_segments.

    >>> gc.strings.unsorted_segment_join(["a", "b", "c"], [1, 0, 1], num_segments=3, separator="+").eval()
    array([b'b', b'a+c', b''], dtype=object)
    """
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
    """A SparseTensor [batch, most parts] of the parts of each string between the characters of `sep`, a blank by
    default.

    source: a vector of strings. sep: each of its characters separates; "" splits into single bytes; delimiter is its
    older name (ValueError for both). skip_empty: empty parts are left out. result_type: "SparseTensor"; there are no
    ragged tensors (UnimplementedError). As `tf.string_split`. Raises TypeError for what is no string, ValueError for
    another rank.

    >>> words = gc.string_split(["hello world", "a b c"])
    >>> words.eval().values
    array([b'hello', b'world', b'a', b'b', b'c'], dtype=object)
    >>> gc.sparse.to_dense(words, default_value="").eval()
    array([[b'hello', b'world', b''],
           [b'a', b'b', b'c']], dtype=object)
    """
    if sep is not None and delimiter is not None:
        raise ValueError("string_split: give 'sep' or 'delimiter', not both")
    sep = delimiter if sep is None else sep
    return _sparse(apply(StringSplit, source, " " if sep is None else sep, name=name, skip_empty=skip_empty),
                   result_type, "string_split")


@public("strings.split")
def strings_split(input=None, sep=None, maxsplit=-1, result_type="SparseTensor", source=None, name=None):
    """A SparseTensor of the parts of each string between occurrences of `sep` as a whole; by default between white
    space.

    input (or source): strings; the result has an axis more, of a scalar it is [1, parts]. maxsplit: at most so many
    splits, -1: all. Empty parts are kept if sep is given. result_type: "SparseTensor". As `tf.strings.split` of
    TensorFlow 1. Raises ValueError without strings, or for both names; UnimplementedError for result_type
    "RaggedTensor"; TypeError for what is no string.

    >>> gc.strings.split(["a::b::c", "d"], sep="::").eval().values
    array([b'a', b'b', b'c', b'd'], dtype=object)
    >>> gc.strings.split(["to be  or"], maxsplit=1).eval().values
    array([b'to', b'be  or'], dtype=object)
    """
    if (input is None) == (source is None):
        raise ValueError("strings.split: give the strings, as 'input'")
    tensor = convert_to_tensor(source if input is None else input, string, name="input")
    if tensor.shape.ndims == 0:
        tensor = expand_dims(tensor, 0)
    deep = tensor.shape.ndims is not None and tensor.shape.ndims > 1
    parts = apply(StringSplitV2, reshape(tensor, [-1]) if deep else tensor, "" if sep is None else sep, name=name,
                  maxsplit=maxsplit)
    return _sparse(_unflattened(parts, shape(tensor, out_type=int64)) if deep else parts, result_type, "strings.split")


def _unflattened(parts, sizes):
    """The parts of a vector's strings under the indices of the tensor of these sizes that it was."""
    indices, values, whole = parts
    rows = transpose(unravel_index(indices[:, 0], sizes))
    return concat([rows, indices[:, 1:]], 1), values, concat([sizes, whole[1:]], 0)


@public("strings.strip", "string_strip")
def string_strip(input, name=None):
    r"""Each string without white space in front and after. As `tf.strings.strip`.

    Strings of any shape, which the result has; TypeError for anything else.

    >>> gc.strings.strip(["  a b \n", "c"]).eval()
    array([b'a b', b'c'], dtype=object)
    """
    return apply(StringStrip, input, name=name)


@public("strings.lower")
def string_lower(input, encoding="", name=None):
    """Each string in small letters; only those of ASCII, unless encoding is "utf-8". As `tf.strings.lower`.

    Strings of any shape, which the result has. Raises TypeError for anything else, ValueError for another encoding.

    >>> gc.strings.lower(["ABC d"]).eval()
    array([b'abc d'], dtype=object)
    """
    return apply(StringLower, input, name=name, encoding=encoding)


@public("strings.upper")
def string_upper(input, encoding="", name=None):
    """Each string in capitals; only letters of ASCII, unless encoding is "utf-8". As `tf.strings.upper`.

    Strings of any shape, which the result has. Raises TypeError for anything else, ValueError for another encoding.

    >>> gc.strings.upper(["abc D"]).eval()
    array([b'ABC D'], dtype=object)
    """
    return apply(StringUpper, input, name=name, encoding=encoding)


@public("strings.length")
def string_length(input, name=None, unit="BYTE"):
    """The number of bytes of each string as int32, or of characters: unit="UTF8_CHAR". As `tf.strings.length`.

    Strings of any shape, which the result has. Raises TypeError for anything else, ValueError for another unit.

    >>> gc.strings.length(["abc", "größe"]).eval()
    array([3, 7], dtype=int32)
    >>> gc.strings.length(["abc", "größe"], unit="UTF8_CHAR").eval()
    array([3, 5], dtype=int32)
    """
    return apply(StringLength, input, name=name, unit=unit)


@public("strings.substr", "substr")
def substr(input, pos, len, name=None, unit="BYTE"):
    """`len` bytes of each string from `pos` on, or characters: unit="UTF8_CHAR".

    pos, len: int32 or int64, broadcast; a negative pos counts from the end. What is there ends with the string; a pos
    beyond it ends the run with InvalidArgumentError. The result has the shape of all three. As `tf.strings.substr`.
    Raises TypeError for a pos or len of floats, ValueError for shapes that do not broadcast, another unit, and tensors
    pos and len of two dtypes.

    >>> gc.strings.substr(["hello", "world"], 1, 3).eval()
    array([b'ell', b'orl'], dtype=object)
    >>> gc.strings.substr(["hello", "world"], [-2, 0], [2, 1]).eval()
    array([b'lo', b'w'], dtype=object)
    """
    with get_default_graph().name_scope(name or "Substr") as scope:
        input, pos = convert_to_tensor(input, string, name="input"), convert_to_tensor(pos, name="pos")
        return apply(Substr, input, pos, convert_to_tensor(len, pos.dtype, name="len"), name=scope, unit=unit)
