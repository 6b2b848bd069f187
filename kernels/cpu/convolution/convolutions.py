"""conv2d and the gradient for its input, compiled as one unit: what both are computed by stands in it once."""
from __future__ import annotations

from .conv import make_conv2d
from .conv_input_grad import make_conv2d_input_grad

__all__ = ["make_conv2d", "make_conv2d_input_grad"]
