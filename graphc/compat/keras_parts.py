"""tf.keras.initializers and tf.keras.regularizers, for layers that are not Keras'.

With keras 2.2 installed they are its own (graphc/compat/v1/keras_package.py)."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public


@public("compat.v1.keras.initializers.RandomNormal", "compat.v1.keras.initializers.random_normal",
        "compat.v1.keras.initializers.normal")
class KerasRandomNormal(gc.initializers.RandomNormal):  # type: ignore[name-defined,misc]
    """Normally distributed, by default with stddev 0.05. As `tf.keras.initializers.RandomNormal`.

    >>> drawn = gc.compat.v1.keras.initializers.RandomNormal(seed=1)([10000]).eval()
    >>> round(float(drawn.std()), 2)
    0.05
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None,
                 dtype: Any = gc.float32) -> None:
        super().__init__(mean, stddev, seed, dtype)


@public("compat.v1.keras.initializers.TruncatedNormal", "compat.v1.keras.initializers.truncated_normal")
class KerasTruncatedNormal(gc.initializers.TruncatedNormal):  # type: ignore[name-defined,misc]
    """Normally distributed within two standard deviations, by default of 0.05. As
    `tf.keras.initializers.TruncatedNormal`.

    >>> drawn = gc.compat.v1.keras.initializers.TruncatedNormal(seed=1)([1000]).eval()
    >>> bool(abs(drawn).max() <= 0.1)
    True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None,
                 dtype: Any = gc.float32) -> None:
        super().__init__(mean, stddev, seed, dtype)


@public("compat.v1.keras.initializers.RandomUniform", "compat.v1.keras.initializers.random_uniform",
        "compat.v1.keras.initializers.uniform")
class KerasRandomUniform(gc.initializers.RandomUniform):  # type: ignore[name-defined,misc]
    """Evenly distributed, by default in [-0.05, 0.05). As `tf.keras.initializers.RandomUniform`.

    >>> drawn = gc.compat.v1.keras.initializers.RandomUniform(seed=1)([1000]).eval()
    >>> bool(-0.05 <= drawn.min() < -0.045 and 0.045 < drawn.max() < 0.05)
    True
    """

    def __init__(self, minval: Any = -0.05, maxval: Any = 0.05, seed: int | None = None,
                 dtype: Any = gc.float32) -> None:
        super().__init__(minval, maxval, seed, dtype)


@public("compat.v1.keras.regularizers.L1L2")
class L1L2:
    """l1 times the sum of absolute values plus l2 times the sum of squares, of a tensor of floats. As
    `tf.keras.regularizers.L1L2`.

    >>> gc.compat.v1.keras.regularizers.L1L2(l1=1., l2=0.5)(gc.constant([1., -2.])).eval()
    np.float32(5.5)
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = float(l1), float(l2)

    def __call__(self, x: Any) -> Any:
        terms = [] if not self.l1 else [self.l1 * gc.reduce_sum(gc.abs(x))]
        if self.l2:
            terms.append(self.l2 * gc.reduce_sum(gc.square(x)))
        return gc.add_n(terms) if terms else gc.constant(0.0)

    def get_config(self) -> dict[str, float]:
        """The arguments that make an equal one."""
        return {"l1": self.l1, "l2": self.l2}


@public("compat.v1.keras.regularizers.l1")
def l1(l: float = 0.01) -> L1L2:
    """l times the sum of absolute values. As `tf.keras.regularizers.l1`.

    >>> gc.compat.v1.keras.regularizers.l1(0.5)(gc.constant([1., -2.])).eval()
    np.float32(1.5)
    """
    return L1L2(l1=l)


@public("compat.v1.keras.regularizers.l2")
def l2(l: float = 0.01) -> L1L2:
    """l times the sum of squares, of which tf.contrib.layers.l2_regularizer takes half. As `tf.keras.regularizers.l2`.

    >>> gc.compat.v1.keras.regularizers.l2(0.5)(gc.constant([1., -2.])).eval()
    np.float32(2.5)
    """
    return L1L2(l2=l)


@public("compat.v1.keras.regularizers.l1_l2")
def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Both. As `tf.keras.regularizers.l1_l2`.

    >>> gc.compat.v1.keras.regularizers.l1_l2(0.5, 1.)(gc.constant([1., -2.])).eval()
    np.float32(6.5)
    """
    return L1L2(l1, l2)
