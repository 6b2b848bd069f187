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
    """Numbers in decimal, as `tf.as_string`."""
    return apply(AsString, input, name=name, precision=precision, scientific=scientific, shortest=shortest, width=width,
                 fill=fill)


@public("strings.to_number", "string_to_number")
def string_to_number(string_tensor=None, out_type=float32, name=None, input=None):
    """The numbers that strings are, as `tf.strings.to_number`."""
    return apply(StringToNumber, _one_of(string_tensor, input, "string_to_number", "string_tensor"), name=name,
                 out_type=as_dtype(out_type))


def _one_of(value, other, function, name, other_name="input"):
    """TF 1 has the argument under two names."""
    if (value is None) == (other is None):
        raise ValueError(f"{function}: give '{name}' or '{other_name}'")
    return other if value is None else value


@public("strings.format")
def string_format(template, inputs, placeholder="{}", summarize=3, name=None):
    """`template` with the tensors `inputs` in place of its placeholders, as `tf.strings.format`."""
    listed = [inputs] if isinstance(inputs, Tensor) or hasattr(inputs, "_ref") else list(inputs)
    tensors = [convert_to_tensor(x) for x in listed]
    return apply(StringFormat, tensors, name=name, T=tuple(t.dtype for t in tensors), template=template,
                 placeholder=placeholder, summarize=summarize)


@public("strings.to_hash_bucket", "string_to_hash_bucket")
def string_to_hash_bucket(string_tensor=None, num_buckets=None, name=None, input=None):
    """A bucket for each string, as `tf.strings.to_hash_bucket`. New code takes gc.strings.to_hash_bucket_fast."""
    return apply(StringToHashBucket, _one_of(string_tensor, input, "string_to_hash_bucket", "string_tensor"), name=name,
                 num_buckets=num_buckets)


@public("strings.to_hash_bucket_fast", "string_to_hash_bucket_fast")
def string_to_hash_bucket_fast(input, num_buckets, name=None):
    """A bucket for each string, as `tf.strings.to_hash_bucket_fast`."""
    return apply(StringToHashBucketFast, input, name=name, num_buckets=num_buckets)


@public("strings.to_hash_bucket_strong", "string_to_hash_bucket_strong")
def string_to_hash_bucket_strong(input, num_buckets, key, name=None):
    """A bucket for each string, by a secret key of two numbers, as `tf.strings.to_hash_bucket_strong`."""
    return apply(StringToHashBucketStrong, input, name=name, num_buckets=num_buckets, key=tuple(key))


@public("fingerprint")
def fingerprint(data, method="farmhash64", name=None):
    """8 bytes for each element of the first axis, as `tf.fingerprint`."""
    data, method = convert_to_tensor(data, name="data"), convert_to_tensor(method, string, name="method")
    return apply(Fingerprint, data, method, name=name)
