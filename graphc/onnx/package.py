"""The package onnx, imported when it is needed."""
from __future__ import annotations

from typing import Any

from graphc.errors import UnimplementedError


def onnx_package() -> Any:
    """The module onnx. Raises UnimplementedError if it is not installed."""
    try:
        import onnx
    except ImportError:
        raise UnimplementedError("gc.onnx needs the package onnx: pip install graphc[onnx]") from None
    return onnx
