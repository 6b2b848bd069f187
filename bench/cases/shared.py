"""Sizes and data that every peer of bench/run.py uses."""
from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

CHAIN_LENGTH, CHAIN_SIZE = 500, 4096
MLP = (784, 512, 512, 10)
BATCH = 64
ADAM_RATE, BETA_1, BETA_2, EPSILON = 1e-4, 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Transformer:
    """Sizes of a decoder: layer norms in front of attention and of a dense net four times as wide, tied embedding."""

    layers: int
    width: int
    heads: int
    tokens: int
    words: int
    batch: int

    @property
    def head(self) -> int:
        return self.width // self.heads

    def weights(self) -> dict[str, np.ndarray]:
        """By name, in the order of use: scales 1, biases 0, matrices of deviation 0.02."""
        r, d = rng(), self.width

        def drawn(*shape: int) -> np.ndarray:
            return r.standard_normal(shape, np.float32) * np.float32(0.02)

        made = {"words": drawn(self.words, d), "places": drawn(self.tokens, d)}
        for i in range(self.layers):
            made |= norm_weights(f"{i}/attention", d)
            made |= {f"{i}/qkv/w": drawn(d, 3 * d), f"{i}/qkv/b": np.zeros(3 * d, np.float32),
                     f"{i}/project/w": drawn(d, d), f"{i}/project/b": np.zeros(d, np.float32)}
            made |= norm_weights(f"{i}/dense", d)
            made |= {f"{i}/up/w": drawn(d, 4 * d), f"{i}/up/b": np.zeros(4 * d, np.float32),
                     f"{i}/down/w": drawn(4 * d, d), f"{i}/down/b": np.zeros(d, np.float32)}
        return made | norm_weights("last", d)

    def text(self) -> tuple[np.ndarray, np.ndarray]:
        """Tokens, and those that follow them."""
        drawn = rng().integers(0, self.words, (self.batch, self.tokens + 1))
        return drawn[:, :-1].copy(), drawn[:, 1:].copy()


def norm_weights(name: str, width: int) -> dict[str, np.ndarray]:
    return {f"{name}/scale": np.ones(width, np.float32), f"{name}/shift": np.zeros(width, np.float32)}


TRAINED = Transformer(layers=4, width=256, heads=8, tokens=128, words=1000, batch=8)
GPT2_SMALL = Transformer(layers=12, width=768, heads=12, tokens=128, words=50257, batch=1)
GPT2_LONG = Transformer(layers=12, width=768, heads=12, tokens=1024, words=50257, batch=1)


@dataclass(frozen=True)
class Convolution:
    """One of ResNet-50's, a batch norm behind it."""

    size: int
    channels: int
    results: int
    stride: int = 1

    @property
    def pad(self) -> int:
        return self.size // 2

    def filter(self, r: np.random.Generator) -> np.ndarray:
        """HWIO."""
        shape = (self.size, self.size, self.channels, self.results)
        return r.standard_normal(shape, np.float32) * np.float32((2 / (self.size ** 2 * self.channels)) ** 0.5)


RESNET_FIRST, RESNET_BATCH, RESNET_CLASSES = Convolution(7, 3, 64, 2), 8, 1000
RESNET_RATE = 1e-5     # of so deep a net at its start: at 0.01 the peers' losses part from each other behind a step
RESNET_STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))      # channels, blocks, stride


def resnet_blocks() -> list[tuple[list[Convolution], Convolution | None]]:
    """ResNet-50's blocks, strides in the 3 x 3 convolutions: the three convolutions, and the one of the shortcut."""
    blocks, before = [], RESNET_FIRST.results
    for channels, count, first_stride in RESNET_STAGES:
        for block in range(count):
            stride, wide = first_stride if block == 0 else 1, 4 * channels
            shortcut = Convolution(1, before, wide, stride) if block == 0 else None
            blocks.append(([Convolution(1, before, channels), Convolution(3, channels, channels, stride),
                            Convolution(1, channels, wide)], shortcut))
            before = wide
    return blocks


def resnet_batch() -> tuple[np.ndarray, np.ndarray]:
    r = rng()
    return r.standard_normal((RESNET_BATCH, 224, 224, 3), np.float32), r.integers(0, RESNET_CLASSES, RESNET_BATCH)


def resnet_dense() -> np.ndarray:
    return rng().standard_normal((2048, RESNET_CLASSES), np.float32) * np.float32(0.01)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def mlp_weights() -> list[np.ndarray]:
    r = rng()
    pairs = itertools.pairwise(MLP)
    return [(r.standard_normal((m, n)) / np.sqrt(m)).astype(np.float32) for m, n in pairs]


def mlp_batch() -> tuple[np.ndarray, np.ndarray]:
    r = rng()
    return r.standard_normal((BATCH, MLP[0])).astype(np.float32), r.integers(0, 10, BATCH)


def lenet_weights() -> list[np.ndarray]:
    """HWIO convolutions 5x5x1x32 and 5x5x32x64, dense 3136x512 and 512x10."""
    r = rng()
    shapes = ((5, 5, 1, 32), (5, 5, 32, 64), (7 * 7 * 64, 512), (512, 10))
    return [(r.standard_normal(s) / np.sqrt(np.prod(s[:-1]))).astype(np.float32) for s in shapes]


def lenet_batch() -> tuple[np.ndarray, np.ndarray]:
    r = rng()
    return r.standard_normal((BATCH, 28, 28, 1)).astype(np.float32), r.integers(0, 10, BATCH)
