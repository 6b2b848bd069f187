"""Networks for pictures as they are used, with few channels, written for either data format by the same code.

A net is a function of (x, kit): x and its results are channels last, all between is in the kit's format.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import graphc as gc

FORMATS = ("NHWC", "NCHW")


class Kit:
    """Layers in one data format; their variables are numbered, so both formats have the same ones."""

    def __init__(self, data_format: str) -> None:
        self.data_format = data_format
        self.first = data_format == "NCHW"
        self.axis = 1 if self.first else 3
        self.count = 0

    def enter(self, x: Any) -> Any:
        return gc.transpose(x, [0, 3, 1, 2]) if self.first else x

    def leave(self, x: Any) -> Any:
        return gc.transpose(x, [0, 2, 3, 1]) if self.first else x

    def variable(self, *shape: int, positive: bool = False) -> Any:
        self.count += 1
        drawn = np.random.default_rng(self.count).standard_normal(shape).astype(np.float32) * np.float32(0.3)
        return gc.Variable(np.abs(drawn) + np.float32(0.5) if positive else drawn, name=f"v{self.count}")

    def steps(self, stride: int) -> list[int]:
        return [1, 1, stride, stride] if self.first else [1, stride, stride, 1]

    def channels(self, x: Any) -> int:
        return int(x.shape.as_list()[self.axis])

    def norm(self, x: Any) -> Any:
        c = self.channels(x)
        return gc.nn.fused_batch_norm(x, self.variable(c, positive=True), self.variable(c), self.variable(c),
                                      self.variable(c, positive=True), is_training=False,
                                      data_format=self.data_format)[0]

    def bias(self, x: Any) -> Any:
        return gc.nn.bias_add(x, self.variable(self.channels(x)), data_format=self.data_format)

    def conv(self, x: Any, out: int, size: int = 1, stride: int = 1) -> Any:
        return gc.nn.conv2d(x, self.variable(size, size, self.channels(x), out), self.steps(stride), "SAME",
                            data_format=self.data_format)

    def depthwise(self, x: Any, size: int, stride: int) -> Any:
        return gc.nn.depthwise_conv2d(x, self.variable(size, size, self.channels(x), 1), self.steps(stride), "SAME",
                                      data_format=self.data_format)

    def pool(self, x: Any, size: int, stride: int) -> Any:
        window = [1, 1, size, size] if self.first else [1, size, size, 1]
        return gc.nn.max_pool(x, window, self.steps(stride), "SAME", data_format=self.data_format)

    def up(self, x: Any, out: int) -> Any:
        """A transposed convolution to twice the height and width."""
        sizes = gc.shape(x)
        h, w = (sizes[2], sizes[3]) if self.first else (sizes[1], sizes[2])
        shape = [sizes[0], out, h * 2, w * 2] if self.first else [sizes[0], h * 2, w * 2, out]
        made = gc.nn.conv2d_transpose(x, self.variable(2, 2, out, self.channels(x)), gc.stack(shape), self.steps(2),
                                      data_format=self.data_format)
        made.set_shape([None, out, None, None] if self.first else [None, None, None, out])
        return made

    def join(self, *xs: Any) -> Any:
        return gc.concat(list(xs), self.axis)

    def mean(self, x: Any) -> Any:
        return gc.reduce_mean(x, [2, 3] if self.first else [1, 2])


def mobile_net_v2(x: Any, kit: Kit) -> Any:
    """Inverted residuals: widen, depthwise, narrow."""
    h = gc.nn.relu6(kit.norm(kit.conv(kit.enter(x), 8, 3, 2)))
    for out, stride in ((8, 1), (8, 1), (12, 2), (12, 1)):
        wide = gc.nn.relu6(kit.norm(kit.conv(h, kit.channels(h) * 3)))
        deep = gc.nn.relu6(kit.norm(kit.depthwise(wide, 3, stride)))
        narrow = kit.norm(kit.conv(deep, out))
        h = h + narrow if stride == 1 and kit.channels(h) == out else narrow
    return gc.matmul(kit.mean(gc.nn.relu6(kit.norm(kit.conv(h, 24)))), kit.variable(24, 5))


def u_net(x: Any, kit: Kit) -> Any:
    """Down and up again, with what was on the way down joined to what is on the way up."""
    h, kept = kit.enter(x), []
    for width in (4, 8):
        h = gc.nn.relu(kit.bias(kit.conv(h, width, 3)))
        kept.append(h)
        h = kit.pool(h, 2, 2)
    h = gc.nn.relu(kit.bias(kit.conv(h, 12, 3)))
    for width, beside in zip((8, 4), reversed(kept), strict=True):
        h = gc.nn.relu(kit.bias(kit.conv(kit.join(beside, kit.bias(kit.up(h, width))), width, 3)))
    return kit.leave(gc.sigmoid(kit.bias(kit.conv(h, 2))))


def ssd_head(x: Any, kit: Kit) -> Any:
    """Boxes and classes of feature maps of several sizes, flattened and joined."""
    h = gc.nn.relu(kit.norm(kit.conv(kit.enter(x), 8, 3, 2)))
    boxes, classes = [], []
    for _ in range(3):
        h = gc.nn.relu(kit.norm(kit.conv(h, 12, 3, 2)))
        boxes.append(gc.reshape(kit.leave(kit.bias(kit.conv(h, 2 * 4, 3))), [gc.shape(x)[0], -1, 4]))
        classes.append(gc.reshape(kit.leave(kit.bias(kit.conv(h, 2 * 3, 3))), [gc.shape(x)[0], -1, 3]))
    return gc.concat([gc.concat(boxes, 1), gc.nn.softmax(gc.concat(classes, 1))], 2)


def res_net_50(x: Any, kit: Kit) -> Any:
    """Bottlenecks: 3, 4, 6 and 3 of them, as in ResNet-50."""
    h = kit.pool(gc.nn.relu(kit.norm(kit.conv(kit.enter(x), 4, 7, 2))), 3, 2)
    for stage, blocks in enumerate((3, 4, 6, 3)):
        width = 2 << stage
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            beside = h if block else kit.norm(kit.conv(h, 4 * width, 1, stride))
            inner = gc.nn.relu(kit.norm(kit.conv(h, width, 1, stride)))
            inner = gc.nn.relu(kit.norm(kit.conv(inner, width, 3)))
            h = gc.nn.relu(beside + kit.norm(kit.conv(inner, 4 * width)))
    return gc.matmul(kit.mean(h), kit.variable(64, 5))


def volume_net(x: Any, kit: Kit) -> Any:
    """Convolutions and poolings of volumes of two frames."""
    h = gc.stack([x, x * 0.5], 1)
    h = gc.transpose(h, [0, 4, 1, 2, 3]) if kit.first else h
    data_format, pool = ("NCDHW", [1, 1, 1, 2, 2]) if kit.first else ("NDHWC", [1, 1, 2, 2, 1])
    for width in (4, 6):
        c = int(h.shape.as_list()[1 if kit.first else 4])
        h = gc.nn.conv3d(h, kit.variable(2, 3, 3, c, width), 1, "SAME", data_format=data_format)
        h = gc.nn.relu(gc.nn.bias_add(h, kit.variable(width), data_format="NCHW" if kit.first else "NHWC"))
        h = gc.nn.max_pool3d(h, pool, pool, "SAME", data_format=data_format)
    return gc.reduce_mean(h, [2, 3, 4] if kit.first else [1, 2, 3])


NETS: dict[str, Callable[[Any, Kit], Any]] = {
    "MobileNet-v2": mobile_net_v2, "U-Net": u_net, "SSD head": ssd_head, "ResNet-50": res_net_50,
    "volumes": volume_net,
}


def built(name: str, data_format: str, training: bool) -> tuple[Any, list[Any]]:
    """The placeholder and the fetches: the result; in training also the gradients of all variables."""
    x = gc.placeholder(gc.float32, (None, 32, 32, 3), name="x")
    y = NETS[name](x, Kit(data_format))
    if not training:
        return x, [y]
    slopes = gc.gradients(gc.reduce_sum(gc.square(y)), gc.trainable_variables())
    return x, [y, *(slope for slope in slopes if slope is not None)]      # batch norms have fixed statistics
