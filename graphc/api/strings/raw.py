"""Bytes: as numbers, as letters, and tensors as bytes."""
from __future__ import annotations

from graphc.api.public import public
from graphc.ir.apply import apply
from graphc.ir.dtypes import as_dtype
from graphc.ops.strings.base64 import DecodeBase64, EncodeBase64
from graphc.ops.strings.raw import DecodeRaw, SerializeTensor


@public("io.decode_raw", "decode_raw")
def decode_raw(input_bytes=None, out_type=None, little_endian=True, name=None, bytes=None):
    r"""The numbers that the bytes of each string are, along a new last axis: [...] gives [..., n].

    Args:
        input_bytes: strings of one length, a multiple of the number's size, or the run ends with InvalidArgumentError;
            bytes is its older name.
        out_type: the dtype of the numbers, which must be given (ValueError).
        little_endian: the lowest byte of each number comes first.

    As `tf.io.decode_raw`.

    Raises TypeError for another out_type than bool, uint8, int8, int16, uint16, int32, int64, float32 and float64, and
    what is no string.

    >>> gc.io.decode_raw([b"\x01\x00\x02\x00"], gc.int16).eval()
    array([[1, 2]], dtype=int16)
    >>> pixels = gc.decode_raw(gc.constant([b"\x00\x80\xff"]), gc.uint8)
    >>> pixels.eval()
    array([[  0, 128, 255]], dtype=uint8)
    """
    if (input_bytes is None) == (bytes is None):
        raise ValueError("decode_raw: give 'input_bytes' or 'bytes'")
    if out_type is None:
        raise ValueError("decode_raw: argument 'out_type' is missing: the dtype of the numbers")
    return apply(DecodeRaw, bytes if input_bytes is None else input_bytes, name=name, out_type=as_dtype(out_type),
                 little_endian=little_endian)


@public("io.encode_base64", "encode_base64")
def encode_base64(input, pad=False, name=None):
    """Each string in Base64 for URLs: with - and _ in place of + and /.

    pad: = at the end up to a multiple of four letters. Strings of any shape, which the result has; TypeError for
    anything else. As `tf.io.encode_base64`.

    >>> gc.io.encode_base64(["a?>b"]).eval()
    array([b'YT8-Yg'], dtype=object)
    >>> gc.io.encode_base64(["a?>b"], pad=True).eval()
    array([b'YT8-Yg=='], dtype=object)
    """
    return apply(EncodeBase64, input, name=name, pad=pad)


@public("io.decode_base64", "decode_base64")
def decode_base64(input, name=None):
    """The bytes that the letters of Base64 for URLs say, with or without = at the end.

    Other letters end the run with InvalidArgumentError. Strings of any shape, which the result has; TypeError for
    anything else. As `tf.io.decode_base64`.

    >>> gc.io.decode_base64(["YT8-Yg"]).eval()
    array([b'a?>b'], dtype=object)
    """
    return apply(DecodeBase64, input, name=name)


@public("io.serialize_tensor", "serialize_tensor")
def serialize_tensor(tensor, name=None):
    """The tensor as the bytes of a TensorProto, a scalar string. Python reads them; there is no op for it.

    tensor: of any dtype. As `tf.io.serialize_tensor`. Raises TypeError for what is no tensor.

    >>> proto = gc.make_tensor_proto(0)
    >>> size = proto.ParseFromString(gc.io.serialize_tensor([1, 2, 3]).eval())
    >>> gc.make_ndarray(proto)
    array([1, 2, 3], dtype=int32)
    """
    return apply(SerializeTensor, tensor, name=name)
