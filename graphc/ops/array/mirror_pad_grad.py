"""What undoes MirrorPad: MirrorPadGrad."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from graphc.ir import dims
from graphc.ir.builder import GradientBuilder
from graphc.ir.dims import Size
from graphc.ir.dtypes import float64, int64
from graphc.ir.elementwise import check_kind
from graphc.ir.known import require_nonnegative
from graphc.ir.op import Op, Permuted, Sample, attr, operand_field, register
from graphc.ir.spec import Spec, require_less_equal, text
from graphc.ir.tensor import Operation


@register
class MirrorPadGrad(Op):
    """The inner part of input, to which its borders are added where MirrorPad took them from."""

    operands = ("input", "paddings")
    results = ("output",)
    types: ClassVar = {"T": "input", "Tpaddings": "paddings"}
    paddings: tuple[tuple[Size, Size], ...] = operand_field("pairs")
    mode: str = attr("string")
    samples: ClassVar = [Sample({"paddings": p, "mode": m}, (s,), (d,)) for p, s, d in (
        (((1, 2), (0, 3)), (6, 8), None), (((0, 0), (1, 1), (2, 0)), (2, 5, 7), float64), (((3, 1),), (21,), int64),
        (((0, 0),), (4,), None)) for m in ("REFLECT", "SYMMETRIC")]

    def infer(self, x: Spec) -> Spec:
        check_kind(self, (x,), "number")
        if self.mode not in ("REFLECT", "SYMMETRIC"):
            raise ValueError(f"mode must be REFLECT or SYMMETRIC, not {self.mode!r}")
        if x.shape is None:
            return Spec(x.dtype, None)
        if len(self.paddings) != len(x.shape):
            raise ValueError(f"paddings must have one row for each of the {len(x.shape)} axes of input, but has "
                             f"{len(self.paddings)}")
        require_nonnegative([p for pair in self.paddings for p in pair], "paddings must not be negative")
        edge, sizes = int(self.mode == "REFLECT"), []
        for axis, (size, (before, behind)) in enumerate(zip(x.shape, self.paddings, strict=True)):
            inner = size - before - behind
            for p in (before, behind):
                require_less_equal(p, inner if p == 0 else dims.maximum(inner - edge, 0),
                                   f"axis {axis} of an input of shape {text(x.shape)} is too short to have been "
                                   f"mirrored "
                                   f"by {p} ({self.mode})")
            sizes.append(inner if isinstance(inner, int) else dims.maximum(inner, 0))
        return Spec(x.dtype, tuple(sizes))

    def reference(self, x: np.ndarray) -> np.ndarray:
        shape: Any = [n - before - behind for n, (before, behind) in zip(x.shape, self.paddings, strict=True)]
        places = np.arange(int(np.prod(shape))).reshape(shape)
        mirrored = np.pad(places, self.paddings, mode=self.mode.lower())  # type: ignore[call-overload]
        result = np.zeros(places.size, x.dtype)
        np.add.at(result, mirrored.ravel(), x.ravel())
        return result.reshape(shape)

    def grad(self, g: GradientBuilder, node: Operation, dy: Any) -> Sequence[Any]:
        return [g.mirror_pad(dy, node.inputs[1], mode=self.mode), None]

    def permuted(self, perm: tuple[int, ...], ranks: tuple[int, ...]) -> Permuted | None:
        return Permuted(replace(self, paddings=tuple(self.paddings[p] for p in perm)), (perm,), (perm,))

    def lower(self, b: Any, inputs: Any, outputs: Any) -> None:
        x, edge = inputs[0], int(self.mode == "REFLECT")
        for axis, (before, behind) in enumerate(self.paddings):
            if before == 0 and behind == 0:
                continue
            size = x.shape[axis] - before - behind
            inner = b.temporary(x.dtype, (*x.shape[:axis], size, *x.shape[axis + 1:]))
            b.copy(x.part(axis, before, size), inner)
            for count, source, target in ((before, 0, edge), (behind, before + size, size - behind - edge)):
                if count == 0:
                    continue
                part = inner.part(axis, target, count)
                b.map(lambda s, y, border: s("add", y, border), [part, x.part(axis, source, count).reverse((axis,))],
                      [part])
            x = inner
        b.copy(x, outputs[0])
