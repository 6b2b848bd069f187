"""resize: pictures of other sizes are mixed by one kernel an axis, from where they lie.

As the ops are lowered otherwise (ops/image/), which a GPU does, the two or four neighbours of each place are gathered
into pictures of their own and then mixed, and areas are products with matrices of zeros, mostly.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from graphc.ir.dtypes import float32
from graphc.ir.node import Flow, Node, make_node
from graphc.ops.array.cast import Cast
from graphc.ops.image.resize import Resize, ResizeBilinear
from graphc.ops.image.resize_smooth import ResizeArea, ResizeBicubic
from graphc.ops.image.sampling import Tap, area_table, axis_sizes
from graphc.passes.shared.rewriter import Replacement, asked_of, rewrite

if TYPE_CHECKING:
    from graphc.ir.steps import A, StepBuilder


def _along_axes(op: Resize, b: StepBuilder[A], x: A, y: A, axes: Sequence[int], mix: Any) -> None:
    """One axis after the other, each by mix(b, x, axis, result)."""
    x = b.contiguous(x)
    for axis in axes:
        shape = (*x.shape[:axis], op.size[axis - 1], *x.shape[axis + 1:])
        made = y if axis == axes[-1] else b.temporary(float32, shape)
        mix(b, x, axis, made)
        x = made


def _blend(b: Any, x: Any, axis: int, made: Any, table: Tap) -> None:
    index, weight = table
    b.call("blend", [x, index, weight, made], [*axis_sizes(x.shape, axis, made.shape[axis]), index.shape[1]])


class Interpolated(ResizeBilinear):
    """ResizeBilinear of float32, by the kernel `interpolate`."""

    type: ClassVar[str] = "_Interpolated"

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        def mix(b: Any, x: Any, axis: int, made: Any) -> None:
            b.call("interpolate", [x, *self.sampler(b, x, axis).linear(), made],
                   axis_sizes(x.shape, axis, made.shape[axis]))

        _along_axes(self, b, inputs[0], outputs[0], (2, 1), mix)


class BlendedCubic(ResizeBicubic):
    """ResizeBicubic of float32, by the kernel `blend`."""

    type: ClassVar[str] = "_BlendedCubic"

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        def mix(b: Any, x: Any, axis: int, made: Any) -> None:
            _blend(b, x, axis, made, self.sampler(b, x, axis).cubic_table())

        _along_axes(self, b, inputs[0], outputs[0], (2, 1), mix)


class BlendedArea(ResizeArea):
    """ResizeArea of float32 to a known size, by the kernel `blend`."""

    type: ClassVar[str] = "_BlendedArea"

    def lower(self, b: StepBuilder[A], inputs: Sequence[A], outputs: Sequence[A]) -> None:
        def mix(b: Any, x: Any, axis: int, made: Any) -> None:
            _blend(b, x, axis, made, area_table(b, x.shape[axis], made.shape[axis]))

        _along_axes(self, b, inputs[0], outputs[0], (1, 2), mix)


_MADE: dict[type[Resize], type[Resize]] = {
    ResizeBilinear: Interpolated, ResizeBicubic: BlendedCubic, ResizeArea: BlendedArea}


def resize(flow: Flow) -> Flow:
    return rewrite(flow, [mixed])


@asked_of(*_MADE)
def mixed(node: Node) -> Replacement:
    """resize(x) -> mixed(float32(x))"""
    op, x = node.op, node.inputs[0]
    made = _MADE.get(type(op))  # type: ignore[arg-type]
    if made is None or not isinstance(op, Resize) or x.spec.shape is None:
        return None
    if made is BlendedArea and (op.align_corners or not all(isinstance(size, int) for size in op.size)):
        return None                    # how many old places lie in a cell is not known
    if x.spec.dtype != float32:
        x = make_node(Cast(DstT=float32, Truncate=False), (x,), node.origins).value()
    centers = {} if made is BlendedArea else {"half_pixel_centers": op.half_pixel_centers}  # type: ignore[attr-defined]
    return make_node(made(size=op.size, align_corners=op.align_corners, **centers), (x,), node.origins, node.after)
