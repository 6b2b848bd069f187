"""Strings made of numbers, and numbers made of strings: written, read, hashed."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply, convert_to_tensor
from graphc.ir.dtypes import as_dtype, float32, string
from graphc.ir.tensor import Tensor
from graphc.ops.strings.format import StringFormat
from graphc.ops.strings.hashing import (
    Fingerprint,
    StringToHashBucket,
    StringToHashBucketFast,
    StringToHashBucketStrong,
)
from graphc.ops.strings.numbers import AsString, StringToNumber


@public("as_string", "strings.as_string")
def as_string(input, precision=-1, scientific=False, shortest=False, width=-1, fill="", name=None):
    """Numbers in decimal, as strings of the same shape.

    Args:
        input: numbers or bools ("true", "false").
        precision: digits after the point, of floating point and complex numbers; -1: six, as C's printf does.
        scientific: with an exponent.
        shortest: with or without one, as it is shorter; not together with scientific (ValueError).
        width: filled up in front to so many characters.
        fill: a character to fill up with, a blank by default.

    As `tf.strings.as_string`.

    Raises TypeError for strings, ValueError for a precision of integers, and a fill of more than one character.

    >>> gc.as_string([3.14159, -2.]).eval()
    array([b'3.141590', b'-2.000000'], dtype=object)
    >>> gc.as_string([3.14159, -2.], precision=2).eval()
    array([b'3.14', b'-2.00'], dtype=object)
    >>> gc.as_string(gc.constant([7, 42]), width=4, fill="0").eval()
    array([b'0007', b'0042'], dtype=object)
    """
    return apply(AsString, input, name=name, precision=precision, scientific=scientific, shortest=shortest, width=width,
                 fill=fill)


@public("strings.to_number", "string_to_number")
def string_to_number(string_tensor=None, out_type=float32, name=None, input=None):
    """The numbers that strings are, as out_type: float32, float64, int32 or int64.

    string_tensor (or input): strings of any shape, which the result has; one that is no number of that type ends the
    run with InvalidArgumentError. As `tf.strings.to_number`. Raises TypeError for another out_type, and what is no
    string.

    >>> gc.strings.to_number(["1.5", "-2e3"]).eval()
    array([    1.5, -2000. ], dtype=float32)
    >>> gc.strings.to_number(["7"], gc.int32).eval()
    array([7], dtype=int32)
    """
    return apply(StringToNumber, _one_of(string_tensor, input, "string_to_number", "string_tensor"), name=name,
                 out_type=as_dtype(out_type))


def _one_of(value, other, function, name, other_name="input"):
    """TF 1 has the argument under two names."""
    if (value is None) == (other is None):
        raise ValueError(f"{function}: give '{name}' or '{other_name}'")
    return other if value is None else value


@public("strings.format")
def string_format(template, inputs, placeholder="{}", summarize=3, name=None):
    """`template` with the tensors `inputs` in place of its placeholders: a scalar string.

    inputs: a tensor, or a list of as many as there are placeholders (ValueError). summarize: of longer axes only so
    many elements at both ends are written, -1: all. Tensors of any dtype and shape. As `tf.strings.format`.

    >>> gc.strings.format("x = {}, y = {}", [gc.constant([1, 2]), gc.constant(0.5)]).eval()
    b'x = [1 2], y = 0.5'
    """
    listed = [inputs] if isinstance(inputs, Tensor) or hasattr(inputs, "_ref") else list(inputs)
    tensors = [convert_to_tensor(x) for x in listed]
    return apply(StringFormat, tensors, name=name, T=tuple(t.dtype for t in tensors), template=template,
                 placeholder=placeholder, summarize=summarize)


@public("strings.to_hash_bucket", "string_to_hash_bucket")
def string_to_hash_bucket(string_tensor=None, num_buckets=None, name=None, input=None):
    """A number from 0 to num_buckets - 1 for each string, int64: the same one on every machine.

    string_tensor (or input): strings of any shape, which the result has. New code takes
    `gc.strings.to_hash_bucket_fast`. As `tf.strings.to_hash_bucket`, with its numbers. Raises TypeError for anything
    else, ValueError for num_buckets below 1.

    >>> gc.strings.to_hash_bucket(["apple", "pear", "apple"], 10).eval()
    array([0, 3, 0])
    """
    return apply(StringToHashBucket, _one_of(string_tensor, input, "string_to_hash_bucket", "string_tensor"), name=name,
                 num_buckets=num_buckets)


@public("strings.to_hash_bucket_fast", "string_to_hash_bucket_fast")
def string_to_hash_bucket_fast(input, num_buckets, name=None):
    """A number from 0 to num_buckets - 1 for each string, int64, by FarmHash: features without a vocabulary.

    Different strings may share one. Whoever chooses the strings can make them collide: to_hash_bucket_strong. Strings
    of any shape, which the result has. As `tf.strings.to_hash_bucket_fast`, with its numbers. Raises TypeError for
    anything else, ValueError for num_buckets below 1.

    >>> gc.strings.to_hash_bucket_fast(["apple", "pear", "apple"], 10).eval()
    array([1, 8, 1])
    """
    return apply(StringToHashBucketFast, input, name=name, num_buckets=num_buckets)


@public("strings.to_hash_bucket_strong", "string_to_hash_bucket_strong")
def string_to_hash_bucket_strong(input, num_buckets, key, name=None):
    """A number from 0 to num_buckets - 1 for each string, int64, by SipHash under a secret key, a list of two ints.

    Strings of any shape, which the result has. As `tf.strings.to_hash_bucket_strong`, with its numbers. Raises
    TypeError for anything else, ValueError for num_buckets below 1, and a key of another length.

    >>> gc.strings.to_hash_bucket_strong(["apple", "pear", "apple"], 10, key=[1, 2]).eval()
    array([3, 5, 3])
    """
    return apply(StringToHashBucketStrong, input, name=name, num_buckets=num_buckets, key=tuple(key))


@public("fingerprint")
def fingerprint(data, method="farmhash64", name=None):
    """8 bytes for each element of the first axis, uint8 [batch, 8]: equal ones for equal data.

    data: of any dtype, of rank 1 or more. method: "farmhash64", the only one. As `tf.fingerprint`. Raises ValueError
    for a scalar; another method is an InvalidArgumentError when run.

    >>> gc.fingerprint(["apple", "pear"]).eval()
    array([[ 25, 223, 138,  25,  68, 137, 121,  89],
           [198,   4, 183, 122, 108, 135, 152, 206]], dtype=uint8)
    """
    data, method = convert_to_tensor(data, name="data"), convert_to_tensor(method, string, name="method")
    return apply(Fingerprint, data, method, name=name)
