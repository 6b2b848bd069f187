"""Bytes: as numbers, as letters, and tensors as bytes."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ir.dtypes import as_dtype
from graphc.ops.strings.base64 import DecodeBase64, EncodeBase64
from graphc.ops.strings.raw import DecodeRaw, SerializeTensor


@public("io.decode_raw", "decode_raw")
def decode_raw(input_bytes=None, out_type=None, little_endian=True, name=None, bytes=None):
    """The numbers that the bytes of each string are, along a new last axis, as `tf.io.decode_raw`."""
    if (input_bytes is None) == (bytes is None):
        raise ValueError("decode_raw: give 'input_bytes' or 'bytes'")
    if out_type is None:
        raise ValueError("decode_raw: argument 'out_type' is missing: the dtype of the numbers")
    return apply(DecodeRaw, bytes if input_bytes is None else input_bytes, name=name, out_type=as_dtype(out_type),
                 little_endian=little_endian)


@public("io.encode_base64", "encode_base64")
def encode_base64(input, pad=False, name=None):
    """In Base64, with - and _, and with = at the end if `pad`, as `tf.io.encode_base64`."""
    return apply(EncodeBase64, input, name=name, pad=pad)


@public("io.decode_base64", "decode_base64")
def decode_base64(input, name=None):
    """The bytes that letters of Base64 say, as `tf.io.decode_base64`."""
    return apply(DecodeBase64, input, name=name)


@public("io.serialize_tensor", "serialize_tensor")
def serialize_tensor(tensor, name=None):
    """The tensor as the bytes of a TensorProto, as `tf.io.serialize_tensor`."""
    return apply(SerializeTensor, tensor, name=name)
