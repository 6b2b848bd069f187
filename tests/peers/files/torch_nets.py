"""PyTorch's nets as torch.onnx writes them: sizes that are unknown have names."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from kinds import Description, drawn
from torch import nn

Cases = Sequence[Sequence[np.ndarray]]


class Block(nn.Module):
    """A residual block, as in ResNet-18."""

    def __init__(self, given: int, made: int, stride: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(given, made, 3, stride, 1, bias=False), nn.BatchNorm2d(made), nn.ReLU(),
            nn.Conv2d(made, made, 3, 1, 1, bias=False), nn.BatchNorm2d(made))
        same = given == made and stride == 1
        self.short = nn.Identity() if same else nn.Sequential(
            nn.Conv2d(given, made, 1, stride, bias=False), nn.BatchNorm2d(made))

    def forward(self, x: Any) -> Any:
        return torch.relu(self.main(x) + self.short(x))


def resnet18() -> nn.Module:
    blocks, given = [], 64
    for made, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        blocks += [Block(given, made, stride), Block(made, made, 1)]
        given = made
    return nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
                         *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000))


class Inverted(nn.Module):
    """MobileNetV3's block: wider, depthwise, squeezed, narrower."""

    def __init__(self, size: int) -> None:
        super().__init__()
        wide = 4 * size
        self.widen = nn.Sequential(nn.Conv2d(size, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.Hardswish())
        self.depth = nn.Sequential(nn.Conv2d(wide, wide, 5, 1, 2, groups=wide, bias=False), nn.BatchNorm2d(wide),
                                   nn.Hardswish())
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(wide, size, 1), nn.ReLU(),
                                     nn.Conv2d(size, wide, 1), nn.Hardsigmoid())
        self.narrow = nn.Sequential(nn.Conv2d(wide, size, 1, bias=False), nn.BatchNorm2d(size))

    def forward(self, x: Any) -> Any:
        h = self.depth(self.widen(x))
        return x + self.narrow(h * self.squeeze(h))


def mobilenet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU6(), *[Inverted(16) for _ in range(4)],
        nn.Conv2d(16, 32, 3, 2, 1, groups=4), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))


class UNet(nn.Module):
    """Down, and up again by transposed and by resized pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 32, 3, padding=1)
        self.third, self.up = nn.Conv2d(32, 32, 3, padding=1), nn.ConvTranspose2d(32, 16, 2, 2)
        self.norm, self.last = nn.GroupNorm(4, 32), nn.Conv2d(48, 2, 1)

    def forward(self, x: Any) -> Any:
        a = nn.functional.leaky_relu(self.first(x), 0.1)
        b = nn.functional.gelu(self.norm(self.second(nn.functional.max_pool2d(a, 2))))
        c = nn.functional.elu(self.third(nn.functional.avg_pool2d(b, 2)))
        c = nn.functional.interpolate(c, scale_factor=2.0, mode="bilinear", align_corners=False)
        wide = nn.functional.interpolate(c, scale_factor=2.0, mode="nearest")
        return self.last(torch.cat([self.up(b + c), wide], 1)).log_softmax(1)


class Recurrent(nn.Module):
    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.rows = kind(8, 16, num_layers=2, bidirectional=True, batch_first=True)
        self.last = nn.Linear(32, 4)

    def forward(self, x: Any) -> Any:
        rows, _ = self.rows(x)
        return self.last(rows)


class EncoderBlock(nn.Module):
    """nn.TransformerEncoderLayer, whose sizes torch.onnx would write as those of the case that it traces."""

    def __init__(self) -> None:
        super().__init__()
        self.three, self.out = nn.Linear(32, 96), nn.Linear(32, 32)
        self.first, self.second = nn.LayerNorm(32), nn.LayerNorm(32)
        self.wide = nn.Sequential(nn.Linear(32, 64), nn.GELU(), nn.Linear(64, 32))

    def forward(self, x: Any) -> Any:
        query, key, value = (part.unflatten(-1, (4, 8)).transpose(1, 2) for part in self.three(x).chunk(3, -1))
        seen = nn.functional.scaled_dot_product_attention(query, key, value)
        x = self.first(x + self.out(seen.transpose(1, 2).flatten(2)))
        return self.second(x + self.wide(x))


class Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.places = nn.Embedding(100, 32), nn.Parameter(torch.randn(64, 32))
        self.blocks, self.last = nn.Sequential(EncoderBlock(), EncoderBlock()), nn.Linear(32, 10)

    def forward(self, words: Any) -> Any:
        return self.last(self.blocks(self.table(words) + self.places[:words.shape[1]]).mean(1))


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(20, 64), nn.LayerNorm(64), nn.Tanh(), nn.Linear(64, 64), nn.Softplus(),
                         nn.Dropout(0.5), nn.Linear(64, 5), nn.Softmax(-1))


def _export(build: Callable[[], nn.Module], cases: Cases, unknown: Sequence[int], folder: Path) -> None:
    """unknown: which axes."""
    torch.manual_seed(5)
    net = build().eval()
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                for values, low, high in ((module.running_mean, -0.2, 0.2), (module.running_var, 0.6, 1.4),
                                          (module.weight, 0.6, 1.4), (module.bias, -0.2, 0.2)):
                    values.uniform_(low, high)
        torch.onnx.export(net, tuple(map(torch.from_numpy, cases[1])), str(folder / "model.onnx"), dynamo=False,
                          input_names=["x"], output_names=["y"], opset_version=17,
                          dynamic_axes={"x": {axis: f"size_{axis}" for axis in unknown}})
    Description("model.onnx", ["x"], ["y"]).write(folder, cases)


def _pictures(size: int) -> Cases:
    return [[drawn(1, 1, 3, size, size)], [drawn(2, 2, 3, size, size)]]


ROWS = [[drawn(1, 1, 20, 8)], [drawn(2, 3, 7, 8)]]
WORDS = [[np.random.default_rng(4).integers(0, 100, size)] for size in ((1, 20), (3, 7))]
MODELS: dict[str, Callable[[Path], None]] = {
    "torch_mlp": partial(_export, mlp, [[drawn(1, 1, 20)], [drawn(2, 3, 20)]], [0]),
    "torch_lstm": partial(_export, partial(Recurrent, nn.LSTM), ROWS, [0, 1]),
    "torch_gru": partial(_export, partial(Recurrent, nn.GRU), ROWS, [0, 1]),
    "torch_transformer": partial(_export, Transformer, WORDS, [0, 1]),
    "torch_resnet18": partial(_export, resnet18, _pictures(224), [0]),
    "torch_mobilenet": partial(_export, mobilenet, _pictures(64), [0]),
    "torch_unet": partial(_export, UNet, _pictures(64), [0, 2, 3]),
}
