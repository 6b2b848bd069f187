"""Keras' applications, and small recurrent and attention nets of Keras 2 and 3."""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from freezing import of_first_version, of_keras
from kinds import drawn

APPLICATIONS = {
    "mobilenet_v2": ("MobileNetV2", 224), "mobilenet_v3": ("MobileNetV3Small", 224),
    "nasnet_mobile": ("NASNetMobile", 224), "efficientnet_b0": ("EfficientNetB0", 224),
    "efficientnet_v2_b0": ("EfficientNetV2B0", 224), "densenet121": ("DenseNet121", 224), "xception": ("Xception", 299),
    "inception_v3": ("InceptionV3", 299), "resnet50": ("ResNet50", 224), "resnet50_v2": ("ResNet50V2", 224),
    "convnext_tiny": ("ConvNeXtTiny", 224), "inception_resnet_v2": ("InceptionResNetV2", 299),
    "vgg16": ("VGG16", 224),
    "mobilenet": ("MobileNet", 224), "mobilenet_v3_large": ("MobileNetV3Large", 224),
    "densenet169": ("DenseNet169", 224),
    "resnet101_v2": ("ResNet101V2", 224), "efficientnet_b3": ("EfficientNetB3", 300),
    "efficientnet_v2_s": ("EfficientNetV2S", 384), "convnext_small": ("ConvNeXtSmall", 224),
}


def _application(kind: str) -> tuple[Any, int]:
    """The net before its softmax, which would hide differences."""
    import tf_keras

    name, size = APPLICATIONS[kind]
    tf_keras.utils.set_random_seed(11)
    return getattr(tf_keras.applications, name)(weights=None, classifier_activation=None), size


def application(kind: str, folder: Path) -> None:
    net, size = _application(kind)
    of_keras(net, folder, [[drawn(1, 1, size, size, 3)], [drawn(2, 2, size, size, 3)]])


def application_in_session(kind: str, folder: Path) -> None:
    def build() -> tuple[list[Any], list[Any]]:
        net, _ = _application(kind)
        return list(net.inputs), list(net.outputs)

    size = APPLICATIONS[kind][1]
    of_first_version(build, folder, [[drawn(1, 1, size, size, 3)], [drawn(2, 2, size, size, 3)]])


def _recurrent(layers: Any, *, cell: str) -> Any:
    rows = layers.Input([None, 8])
    layer = layers.layers.LSTM if cell == "lstm" else layers.layers.GRU
    h = layer(16, return_sequences=True)(rows)
    return layers.Model(rows, layers.layers.Dense(4)(layer(12)(h)))


def _bidirectional(layers: Any) -> Any:
    rows = layers.Input([None, 8])
    both = layers.layers.Bidirectional(layers.layers.LSTM(12, return_sequences=True))(rows)
    return layers.Model(rows, layers.layers.Dense(4)(layers.layers.Bidirectional(layers.layers.GRU(6))(both)))


def _masked(layers: Any) -> Any:
    words = layers.Input([None], dtype="int32")
    h = layers.layers.Embedding(50, 8, mask_zero=True)(words)
    return layers.Model(words, layers.layers.LSTM(12)(h))


def _attention(layers: Any) -> Any:
    rows = layers.Input([None, 8])
    h = layers.layers.Conv1D(8, 3, padding="causal", activation="relu")(rows)
    h = layers.layers.Attention(use_scale=True)([rows, h])
    return layers.Model(rows, layers.layers.GlobalAveragePooling1D()(h))


def _encoder(layers: Any) -> Any:
    """Two encoder blocks of a transformer."""
    words = layers.Input([None], dtype="int32")
    h = layers.layers.Embedding(100, 32)(words)
    for _ in range(2):
        seen = layers.layers.MultiHeadAttention(4, 8)(h, h)
        h = layers.layers.LayerNormalization()(h + seen)
        wide = layers.layers.Dense(64, activation="gelu")(h)
        h = layers.layers.LayerNormalization()(h + layers.layers.Dense(32)(wide))
    return layers.Model(words, layers.layers.Dense(10)(h))


def _of_rows(build: Callable[[Any], Any], folder: Path, *, library: str, lowered: bool = True) -> None:
    """A net of [batch, steps, 8], both unknown."""
    of_keras(_built(build, library), folder, [[drawn(1, 1, 20, 8)], [drawn(2, 3, 7, 8)]], lowered=lowered, unknown=2)


def _of_words(build: Callable[[Any], Any], folder: Path, *, library: str, lowered: bool = True) -> None:
    import numpy as np

    draws = np.random.default_rng(4)
    words = [draws.integers(1, 50, size).astype(np.int32) for size in ((1, 20), (3, 7))]
    words[1][1, 4:] = 0
    of_keras(_built(build, library), folder, [[w] for w in words], lowered=lowered, unknown=2)


def _built(build: Callable[[Any], Any], library: str) -> Any:
    import importlib

    layers = importlib.import_module(library)
    layers.utils.set_random_seed(11)
    return build(layers)


_lstm, _gru = partial(_recurrent, cell="lstm"), partial(_recurrent, cell="gru")
MODELS: dict[str, Callable[[Path], None]] = {
    "keras2_lstm": partial(_of_rows, _lstm, library="tf_keras"),
    "keras2_lstm_functions": partial(_of_rows, _lstm, library="tf_keras", lowered=False),
    "keras2_gru": partial(_of_rows, _gru, library="tf_keras"),
    "keras2_bidirectional": partial(_of_rows, _bidirectional, library="tf_keras"),
    "keras2_masked_lstm": partial(_of_words, _masked, library="tf_keras"),
    "keras2_attention": partial(_of_rows, _attention, library="tf_keras"),
    "keras2_transformer": partial(_of_words, _encoder, library="tf_keras"),
    "keras3_lstm": partial(_of_rows, _lstm, library="keras"),
    "keras3_bidirectional_functions": partial(_of_rows, _bidirectional, library="keras", lowered=False),
    "keras3_attention": partial(_of_rows, _attention, library="keras"),
    "keras3_transformer": partial(_of_words, _encoder, library="keras"),
    "mobilenet_v2_in_session": partial(application_in_session, "mobilenet_v2"),
    **{name: partial(application, name) for name in APPLICATIONS},
}
