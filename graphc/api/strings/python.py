"""Strings of Python as bytes and as str, as TensorFlow's `compat` has them. They make no tensors."""
from __future__ import annotations

from graphc.api.public import public


@public("compat.as_bytes")
def as_bytes(bytes_or_text, encoding="utf-8"):
    """As `tf.compat.as_bytes`. Raises TypeError for what is neither str nor bytes."""
    if isinstance(bytes_or_text, str):
        return bytes_or_text.encode(encoding)
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


@public("compat.as_text", "compat.as_str")
def as_text(bytes_or_text, encoding="utf-8"):
    """As `tf.compat.as_text` and `tf.compat.as_str`. Raises TypeError for what is neither str nor bytes."""
    if isinstance(bytes_or_text, str):
        return bytes_or_text
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text.decode(encoding)
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


@public("compat.as_str_any")
def as_str_any(value):
    """As `tf.compat.as_str_any`: str(value), and of bytes what they say."""
    return as_text(value) if isinstance(value, bytes) else str(value)
