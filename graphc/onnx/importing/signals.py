"""Fourier transforms of signals [..., 1 or 2]: the last axis holds a number, or its real and imaginary part."""
from __future__ import annotations

from typing import Any

import numpy as np

import graphc as gc
from graphc.onnx.element_types import dtype_of
from graphc.onnx.importing.rules import Node, onnx_op, static_sizes


@onnx_op("DFT")
def dft_17(node: Node, x: Any, length: Any = None) -> Any:
    return _dft(node, x, length, node.attr("axis", 1))


@onnx_op("DFT", since=20)
def dft(node: Node, x: Any, length: Any = None, axis: Any = None) -> Any:
    return _dft(node, x, length, -2 if axis is None else int(node.known(axis, "the axis").reshape(())))


def _dft(node: Node, x: Any, length: Any, axis: int) -> Any:
    along, rank = node.axis(x, axis), node.rank(x)
    inverse, onesided = bool(node.attr("inverse", 0)), bool(node.attr("onesided", 0))
    if x.dtype not in (gc.float32, gc.float64):
        raise node.refuse(f"Fourier transforms of {x.dtype.name} are not supported: cast to float32")
    signal = _signal(node, x)
    order = [*(i for i in range(rank - 1) if i != along), along]
    signal = gc.transpose(signal, order)
    n = None if length is None else int(node.known(length, "the length").reshape(()))
    if inverse and onesided:
        y = gc.expand_dims(gc.signal.irfft(signal, None if n is None else [n]), -1)
    else:
        signal = signal if n is None else _of_length(signal, n)
        y = (gc.ifft if inverse else gc.fft)(signal)
        y = gc.stack([gc.real(y), gc.imag(y)], -1)
        if onesided:
            y = y[..., :gc.shape(y)[-2] // 2 + 1, :]
    return gc.transpose(y, [*np.argsort(order).tolist(), rank - 1])


def _signal(node: Node, x: Any) -> Any:
    """x as complex numbers without the last axis."""
    parts = static_sizes(x)[-1]
    if parts not in (1, 2):
        raise node.invalid(f"the last axis has {parts} numbers instead of 1 or 2")
    real = x[..., 0]
    return gc.complex(real, x[..., 1] if parts == 2 else gc.zeros_like(real))


def _of_length(signal: Any, n: int) -> Any:
    """The first n numbers of the last axis, zeros where there are fewer."""
    cut = signal[..., :n]
    missing = gc.constant(n) - gc.shape(cut)[-1]
    rows = [[0, 0]] * (signal.shape.ndims - 1)
    return gc.pad(cut, gc.stack([*rows, gc.stack([gc.constant(0), missing])])) if rows else \
        gc.pad(cut, gc.expand_dims(gc.stack([gc.constant(0), missing]), 0))


@onnx_op("STFT")
def stft(node: Node, x: Any, step: Any, window: Any = None, length: Any = None) -> Any:
    """[batch, frames, bins, 2]."""
    hop = int(node.known(step, "frame_step").reshape(()))
    size = static_sizes(window)[0] if window is not None else static_sizes(x)[1]
    size = int(node.known(length, "frame_length").reshape(())) if length is not None else size
    if size is None:
        raise node.refuse("the length of a frame must be known while the graph is built")
    frames = gc.signal.frame(_signal(node, x), size, hop, axis=1)
    if window is not None:
        frames = frames * gc.cast(window, frames.dtype)
    y = gc.fft(frames)
    y = y[..., :size // 2 + 1] if node.attr("onesided", 1) else y
    return gc.stack([gc.real(y), gc.imag(y)], -1)


@onnx_op("MelWeightMatrix")
def mel_weights(node: Node, bins: Any, length: Any, rate: Any, low: Any, high: Any) -> Any:
    """Triangles over the bins of a spectrum, as ONNX rounds their corners to whole bins."""
    count, size, rate, low, high = (node.known(v, "each input").reshape(()).item() for v in
                                    (bins, length, rate, low, high))
    to_mel, from_mel = (lambda f: 2595 * np.log10(1 + f / 700)), (lambda m: 700 * (10 ** (m / 2595) - 1))
    steps = np.arange(count + 2) * ((to_mel(high) - to_mel(low)) / (count + 2)) + to_mel(low)
    corners = ((size + 1) * from_mel(steps) // rate).astype(int)
    if count < 1 or size < 1 or corners.min() < 0 or corners.max() > size // 2:
        raise node.invalid(f"{count} bands from {low} to {high} Hz do not fit a spectrum of {size // 2 + 1} bins")
    made = np.zeros((size // 2 + 1, count))
    for i, (left, middle, right) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        rising, falling = np.arange(left, middle + 1), np.arange(middle, right)
        made[rising, i] = (rising - left) / (middle - left) if middle > left else 1
        if right > middle:
            made[falling, i] = (right - falling) / (right - middle)
    dtype = dtype_of(node.attr("output_datatype", 1), str(node))
    return node.build.constant(dtype.array(made), node.outputs[0])
