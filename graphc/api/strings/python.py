"""Strings of Python as bytes and as str, as TensorFlow's `compat` has them. They make no tensors."""
from __future__ import annotations

from graphc.api.public import public


@public("compat.as_bytes")
def as_bytes(bytes_or_text, encoding="utf-8"):
    r"""A str as bytes, bytes as they are: a Python function, no op. TypeError for anything else. As
    `tf.compat.as_bytes`.

    A str that has no bytes in the encoding raises UnicodeEncodeError.

    >>> gc.compat.as_bytes("größe")
    b'gr\xc3\xb6\xc3\x9fe'
    """
    if isinstance(bytes_or_text, str):
        return bytes_or_text.encode(encoding)
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


@public("compat.as_text", "compat.as_str")
def as_text(bytes_or_text, encoding="utf-8"):
    """Bytes as a str, a str as it is: a Python function, no op. TypeError for anything else.

    Bytes that are no text of the encoding raise UnicodeDecodeError. As `tf.compat.as_text` and `tf.compat.as_str`.

    >>> gc.compat.as_text(b"abc")
    'abc'
    """
    if isinstance(bytes_or_text, str):
        return bytes_or_text
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text.decode(encoding)
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


@public("compat.as_str_any")
def as_str_any(value):
    """str(value), and of bytes the str that they say. As `tf.compat.as_str_any`.

    value: any object of Python. Bytes that are not UTF-8 raise UnicodeDecodeError.

    >>> gc.compat.as_str_any(b"abc"), gc.compat.as_str_any(7)
    ('abc', '7')
    """
    return as_text(value) if isinstance(value, bytes) else str(value)
