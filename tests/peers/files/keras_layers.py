"""Small nets of Keras 2 and 3 that have, together, every common layer."""
from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from freezing import of_keras
from kinds import drawn


def _chain(layers: Any, sizes: list[int | None], *made: Any, dtype: str = "float32") -> Any:
    """A model of layers that follow each other."""
    first = x = layers.Input(sizes, dtype=dtype)
    for layer in made:
        x = layer(x)
    return layers.Model(first, x)


def rows_convolved(layers: Any) -> Any:
    own = layers.layers
    return _chain(layers, [None, 6],
                  own.Conv1D(8, 3, padding="causal", dilation_rate=2, activation="relu"), own.BatchNormalization(),
                  own.SeparableConv1D(12, 3, padding="same", activation="elu"), own.MaxPooling1D(2),
                  own.Conv1DTranspose(10, 3, strides=2, padding="same", activation="swish"), own.ZeroPadding1D((1, 2)),
                  own.Cropping1D((1, 1)), own.UpSampling1D(2), own.AveragePooling1D(3, 2, padding="same"),
                  own.Conv1D(12, 3, groups=2, activation="selu"), own.LayerNormalization(), own.Dense(4))


def volumes(layers: Any) -> Any:
    own = layers.layers
    return _chain(layers, [8, 8, 8, 2],
                  own.Conv3D(6, 3, padding="same", activation="relu"), own.BatchNormalization(), own.MaxPooling3D(2),
                  own.Conv3DTranspose(4, 3, strides=2, padding="same"), own.ZeroPadding3D(1), own.Cropping3D(1),
                  own.UpSampling3D(2), own.AveragePooling3D(2), own.GlobalAveragePooling3D(), own.Dense(3))


def pictures_mixed(layers: Any) -> Any:
    own = layers.layers
    return _chain(layers, [None, None, 4],
                  own.SeparableConv2D(8, 3, padding="same", depth_multiplier=2), own.PReLU(shared_axes=[1, 2]),
                  own.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2),
                  own.BatchNormalization(scale=False), own.LeakyReLU(), own.ZeroPadding2D(((1, 0), (2, 1))),
                  own.Conv2D(12, 3, dilation_rate=2, padding="same", activation="gelu"), own.GroupNormalization(4),
                  own.Conv2DTranspose(6, 3, strides=2, padding="valid", activation="tanh"),
                  own.Cropping2D(((1, 2), (0, 1))),
                  own.UpSampling2D((1, 2)), own.Conv2D(8, 3, groups=2, strides=(2, 1)), own.SpatialDropout2D(0.2),
                  own.AveragePooling2D(3, 2, padding="same"), own.UnitNormalization(), own.GlobalMaxPooling2D())


def squeezed(layers: Any) -> Any:
    """Squeeze and excite, and the arithmetic of several inputs."""
    own = layers.layers
    a, b = layers.Input([None, None, 8]), layers.Input([None, None, 8])
    scale = own.Dense(8, activation="hard_sigmoid")(own.Dense(4, "relu")(own.GlobalAveragePooling2D(keepdims=True)(a)))
    h = own.Multiply()([a, scale])
    h = own.Concatenate()([own.Add()([h, b]), own.Subtract()([h, b]), own.Maximum()([h, b]), own.Minimum()([a, b]),
                           own.Average()([a, b])])
    h = own.Permute((3, 1, 2))(own.Activation("softsign")(h))
    rows = [own.GlobalMaxPooling2D()(x) for x in (scale, b)]
    return layers.Model([a, b], [own.Softmax(axis=1)(h), own.Dot(axes=(1, 1))(rows)])


def preprocessed(layers: Any) -> Any:
    own = layers.layers
    return _chain(layers, [None, None, 3],
                  own.Resizing(20, 24), own.CenterCrop(16, 18), own.Rescaling(1 / 127.5, offset=-1.0),
                  own.Normalization(mean=[0.1, 0.2, 0.3], variance=[0.5, 0.6, 0.7]),
                  own.Resizing(8, 9, interpolation="nearest"), own.Resizing(10, 11, interpolation="bicubic"),
                  own.Resizing(6, 6, interpolation="area") if layers.__name__ == "tf_keras" else own.Rescaling(2.0))


def attention(layers: Any) -> Any:
    own = layers.layers
    rows, memory = layers.Input([None, 8]), layers.Input([None, 8])
    h = own.MultiHeadAttention(2, 4, value_dim=5, output_shape=6)(rows, memory, use_causal_mask=True)
    g = own.AdditiveAttention()([rows, memory])
    k = own.Attention(score_mode="concat")([rows, memory])
    return layers.Model([rows, memory], own.Concatenate()([h, g, k, own.LayerNormalization()(rows)]))


def masked(layers: Any) -> Any:
    """Masks by Embedding and Masking through LSTM, GRU, TimeDistributed and Bidirectional."""
    own = layers.layers
    words, rows = layers.Input([None], dtype="int32"), layers.Input([None, 4])
    h = own.Embedding(30, 8, mask_zero=True)(words)
    h = own.Bidirectional(own.LSTM(6, return_sequences=True), merge_mode="sum")(h)
    h = own.TimeDistributed(own.Dense(5, activation="relu"))(h)
    h = own.Bidirectional(own.GRU(4, reset_after=True), merge_mode="ave")(h)
    g = own.GRU(6, return_sequences=True)(own.Masking(0.0)(rows))
    return layers.Model([words, rows], own.Concatenate()([h, own.SimpleRNN(3, go_backwards=True)(g)]))


def recurrent(layers: Any) -> Any:
    own = layers.layers
    rows = layers.Input([None, 6])
    h = own.GRU(8, reset_after=False, return_sequences=True, recurrent_activation="hard_sigmoid")(rows)
    h, last, cell = own.LSTM(8, return_sequences=True, return_state=True, activation="relu")(h)
    g = own.RNN([own.LSTMCell(5), own.GRUCell(4)], return_sequences=True)(h)
    outer = own.LSTM(8, go_backwards=True)(g, initial_state=[last, cell])
    return layers.Model(rows, [own.Dense(3)(outer), own.RepeatVector(3)(cell)])


def films(layers: Any) -> Any:
    own = layers.layers
    frames = layers.Input([None, 8, 8, 2])
    h = own.ConvLSTM2D(4, 3, padding="same", return_sequences=True)(frames)
    h = own.TimeDistributed(own.Conv2D(3, 3, strides=2))(h)
    return layers.Model(frames, own.ConvLSTM2D(3, 2)(h))


def activations(layers: Any) -> Any:
    own = layers.layers
    names = ["elu", "exponential", "gelu", "hard_sigmoid", "linear", "mish", "relu", "selu", "sigmoid", "softmax",
             "softplus", "softsign", "swish", "tanh", "relu6"]
    rows = layers.Input([None, 7])
    given = [n for n in names if hasattr(layers.activations, n)]
    made = [own.Activation(n)(own.Dense(5)(rows)) for n in given]
    made += [own.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.2)(rows), own.ELU(0.3)(rows),
             own.LeakyReLU()(rows), own.Softmax()(rows), own.Flatten()(own.Reshape([-1, 7, 1])(rows[:, :1]))[:, None]]
    return layers.Model(rows, own.Concatenate()(made[:-1]))


def categories(layers: Any) -> Any:
    own = layers.layers
    numbers = layers.Input([3])
    words = layers.Input([2], dtype="int64")
    h = own.CategoryEncoding(10, output_mode="multi_hot")(words)
    g = own.Discretization(bin_boundaries=[-0.5, 0.0, 0.7])(numbers)
    k = own.Hashing(5)(words) if layers.__name__ == "tf_keras" else own.Embedding(12, 2)(words)
    return layers.Model([numbers, words], [h, g, k])


def autoencoder(layers: Any) -> Any:
    own = layers.layers
    picture = layers.Input([28, 28, 1])
    h, kept = picture, []
    for width in (8, 16):
        h = own.Conv2D(width, 3, padding="same", use_bias=False)(h)
        h = own.Activation("relu")(own.BatchNormalization()(h))
        kept.append(h)
        h = own.MaxPooling2D(2)(h)
    h = own.Dense(49, activation="relu")(own.Flatten()(h))
    h = own.Conv2D(16, 3, padding="same", activation="relu")(own.Reshape([7, 7, 1])(h))
    for skip, width in zip(kept[::-1], (16, 8), strict=True):
        h = own.Concatenate()([own.UpSampling2D(2, interpolation="bilinear")(h), skip])
        h = own.Conv2DTranspose(width, 3, padding="same", activation="relu")(h)
    return layers.Model(picture, own.Conv2D(1, 1, activation="sigmoid")(h))


ROWS = [[drawn(1, 1, 20, 6)], [drawn(2, 3, 9, 6)]]
WORDS = [np.random.default_rng(3).integers(1, 30, size).astype(np.int32) for size in ((1, 12), (3, 7))]
WORDS[1][1, 4:] = 0
_FEW = [np.random.default_rng(3).integers(0, 10, size).astype(np.int64) for size in ((1, 2), (4, 2))]
NETS: dict[str, tuple[Callable[[Any], Any], list[list[np.ndarray]], int]] = {
    "rows": (rows_convolved, ROWS, 2),
    "volumes": (volumes, [[drawn(1, 1, 8, 8, 8, 2)], [drawn(2, 2, 8, 8, 8, 2)]], 1),
    "pictures": (pictures_mixed, [[drawn(1, 1, 32, 32, 4)], [drawn(2, 2, 21, 30, 4)]], 3),
    "squeezed": (squeezed, [[drawn(1, 1, 9, 8, 8), drawn(3, 1, 9, 8, 8)],
                            [drawn(2, 2, 5, 6, 8), drawn(4, 2, 5, 6, 8)]], 3),
    "preprocessed": (preprocessed, [[drawn(1, 1, 30, 40, 3) * 100], [drawn(2, 2, 25, 21, 3) * 100]], 3),
    "memory": (attention, [[drawn(1, 1, 9, 8), drawn(3, 1, 9, 8)], [drawn(2, 3, 5, 8), drawn(4, 3, 7, 8)]], 2),
    "masked": (masked, [[WORDS[0], drawn(1, 1, 9, 4)],
                        [WORDS[1], np.where(np.arange(6)[:, None] < 3, drawn(2, 3, 6, 4), 0)]], 2),
    "recurrent": (recurrent, ROWS, 2),
    "films": (films, [[drawn(1, 1, 5, 8, 8, 2)], [drawn(2, 2, 3, 8, 8, 2)]], 2),
    "activations": (activations, [[drawn(1, 1, 6, 7)], [drawn(2, 2, 3, 7)]], 2),
    "categories": (categories, [[drawn(1, 1, 3), _FEW[0]], [drawn(2, 4, 3), _FEW[1]]], 1),
    "autoencoder": (autoencoder, [[drawn(1, 1, 28, 28, 1)], [drawn(2, 3, 28, 28, 1)]], 1),
}


def make(net: str, folder: Path, *, library: str, lowered: bool = True) -> None:
    layers = importlib.import_module(library)
    layers.utils.set_random_seed(11)
    build, cases, unknown = NETS[net]
    of_keras(build(layers), folder, cases, lowered=lowered, unknown=unknown)


MODELS: dict[str, Callable[[Path], None]] = {
    f"{short}_{net}": partial(make, net, library=library)
    for short, library in (("keras2", "tf_keras"), ("keras3", "keras")) for net in NETS}
