"""Convolutions, pooling, softmax and its losses, declared; their functions stand in kernels/cpu/nn/."""
from __future__ import annotations

from .dtypes import FLOATS, INDICES
from .kernel import Kernel, Operand, at_least, at_most, over

_X, _W, _Y = "n * h * w * c", "kh * kw * c * oc", "n * oh * ow * oc"


def _convolution(name: str, operands: tuple[Operand, ...], make: str) -> Kernel:
    """x, w and y are the operands of the forward convolution, dx, dw and dy their gradients."""
    dims = ("n", "h", "w", "c", "kh", "kw", "oc", "oh", "ow")
    steps, pads = ("stride_h", "stride_w", "dilation_h", "dilation_w"), ("pad_top", "pad_left")
    relations = (*at_least(0, *dims), *at_least(1, *steps), *at_least(0, *pads), *at_most(1 << 16, *steps, "kh", "kw"),
                 "kh * kw <= 65536", *at_most(1 << 32, *pads), *at_most(1 << 26, "h", "w", "oh", "ow"))
    return Kernel(name, operands, dims, (*steps, *pads), over(T=FLOATS), make, relations,
                  "2 * n * oh * ow * oc * kh * kw * c")


def _pooling(name: str, *operands: tuple[str, str]) -> Kernel:
    """operands: pairs of name and "x" or "y", whose shape it has; the last is the output."""
    dims = ("n", "h", "w", "c", "kh", "kw", "oh", "ow")
    strides, pads = ("stride_h", "stride_w"), ("pad_top", "pad_left")
    extents = {"x": _X, "y": "n * oh * ow * c"}
    declared = tuple(Operand(operand, "in" if i < len(operands) - 1 else "out", "T", extents[shape])
                     for i, (operand, shape) in enumerate(operands))
    relations = (*at_least(0, *dims), *at_least(1, *strides), *at_least(0, *pads),
                 *at_most(1 << 20, *strides, "kh", "kw", *pads), *at_most(1 << 26, "h", "w", "oh", "ow"))
    return Kernel(name, declared, dims, (*strides, *pads), over(T=FLOATS), f"cpu.nn.pooling:make_{name}", relations,
                  "n * oh * ow * c * kh * kw")


def _rows(name: str) -> Kernel:
    return Kernel(name, (Operand("x", "in", "T", "rows * cols"), Operand("y", "out", "T", "rows * cols")),
                  ("rows", "cols"), (), over(T=FLOATS), f"cpu.nn.softmax:make_{name}", at_least(0, "rows", "cols"),
                  "5 * rows * cols")


def _loss(labels: Operand) -> tuple[Operand, ...]:
    return (Operand("logits", "in", "T", "rows * cols"), labels, Operand("loss", "out", "T", "rows"),
            Operand("backprop", "out", "T", "rows * cols"))


KERNELS = (
    _convolution("conv2d",
                 (Operand("x", "in", "T", _X), Operand("w", "in", "T", _W, packable=True),
                  Operand("y", "out", "T", _Y)),
                 "cpu.nn.conv:make_conv2d"),
    _convolution("conv2d_input_grad",
                 (Operand("dy", "in", "T", _Y), Operand("w", "in", "T", _W), Operand("dx", "out", "T", _X)),
                 "cpu.nn.conv:make_conv2d_input_grad"),
    _convolution("conv2d_filter_grad",
                 (Operand("x", "in", "T", _X), Operand("dy", "in", "T", _Y), Operand("dw", "out", "T", _W)),
                 "cpu.nn.conv_filter_grad:make_conv2d_filter_grad"),
    _pooling("max_pool", ("x", "x"), ("y", "y")),
    _pooling("max_pool_grad", ("x", "x"), ("y", "y"), ("dy", "y"), ("dx", "x")),
    _pooling("max_pool_grad_grad", ("x", "x"), ("y", "y"), ("ddx", "x"), ("ddy", "y")),
    _pooling("avg_pool", ("x", "x"), ("y", "y")),
    _pooling("avg_pool_grad", ("dy", "y"), ("dx", "x")),
    _rows("softmax"),
    _rows("log_softmax"),
    Kernel("softmax_cross_entropy", _loss(Operand("labels", "in", "T", "rows * cols")), ("rows", "cols"), (),
           over(T=FLOATS), "cpu.nn.cross_entropy:make_dense", at_least(0, "rows", "cols"), "9 * rows * cols"),
    Kernel("sparse_softmax_cross_entropy", _loss(Operand("labels", "in", "I", "rows")), ("rows", "cols"), (),
           over(T=FLOATS, I=INDICES), "cpu.nn.cross_entropy:make_sparse", at_least(0, "rows", "cols"),
           "6 * rows * cols"),
)
