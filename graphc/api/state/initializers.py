"""Initialisers: functions from a shape to a tensor of initial values, as `tf.initializers`.

Each is called as initializer(shape, dtype=None, partition_info=None); that tells which part of a variable it makes.
Random ones take a seed; without one the values differ in every process, unless the graph has a seed.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.api.array.fill import ones, zeros
from graphc.api.array.source import constant
from graphc.api.public import public
from graphc.api.random import random
from graphc.ir.dtypes import DType, as_dtype, float32
from graphc.ir.tensor import Tensor
from graphc.ir.tensor_shape import as_shape


@public("initializers.Initializer")
class Initializer:
    """Base of all initialisers: initializer(shape) is a tensor of initial values.

    A subclass writes `__call__(shape, dtype=None, partition_info=None)`; dtype None is that of the initialiser.
    partition_info, which part of a variable it is for, makes no difference to most of those here. shape: fully known;
    the result is a tensor of it. As `tf.initializers.Initializer`. Raises TypeError for what is no dtype,
    NotImplementedError without `__call__` of its own.

    >>> class Steps(gc.initializers.Initializer):
    ...     def __call__(self, shape, dtype=None, partition_info=None):
    ...         return gc.range(shape[0], dtype=dtype or self.dtype)
    >>> v = gc.get_variable("v", [3], initializer=Steps())
    >>> v.initializer.run()
    >>> v.eval()
    array([0., 1., 2.], dtype=float32)
    """

    def __init__(self, dtype: Any = float32) -> None:
        self.dtype: DType = as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        raise NotImplementedError

    def _dtype(self, dtype: Any) -> DType:
        return self.dtype if dtype is None else as_dtype(dtype)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initialiser."""
        return {key: value.name if isinstance(value, DType) else value for key, value in vars(self).items()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """The initialiser that `get_config` describes."""
        return cls(**config)


@public("initializers.Zeros", "initializers.zeros", "zeros_initializer", "initializers.zeros_initializer")
class Zeros(Initializer):
    """All elements 0 (False; empty strings). As `tf.zeros_initializer`.

    dtype: any; shape: fully known, else TypeError.

    >>> gc.zeros_initializer()([2], gc.int32).eval()
    array([0, 0], dtype=int32)
    """

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return zeros(shape, self._dtype(dtype))


@public("initializers.Ones", "initializers.ones", "ones_initializer", "initializers.ones_initializer")
class Ones(Initializer):
    """All elements 1. As `tf.ones_initializer`.

    dtype: numbers or bool, TypeError for strings; shape: fully known, else TypeError.

    >>> gc.ones_initializer(gc.int32)([2]).eval()
    array([1, 1], dtype=int32)
    """

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return ones(shape, self._dtype(dtype))


@public("initializers.Constant", "initializers.constant", "constant_initializer", "initializers.constant_initializer")
class Constant(Initializer):
    """`value`, a number or as many numbers as there are elements; fewer are filled up with the last one.

    With verify_shape value must have the shape (TypeError). Raises ValueError for more numbers than elements, TypeError
    for a value that is no number, list or array. As `tf.constant_initializer`.

    >>> gc.constant_initializer([1, 2])([2, 2]).eval()
    array([[1., 2.],
           [2., 2.]], dtype=float32)
    """

    def __init__(self, value: Any = 0, dtype: Any = float32, verify_shape: bool = False) -> None:
        if not (np.isscalar(value) or isinstance(value, (list, tuple, np.ndarray))):
            raise TypeError(f"Invalid type for initial value: {type(value).__name__} (expected Python scalar, list or "
                            "tuple "
                            "of values, or numpy.ndarray).")
        super().__init__(dtype)
        self.value = value
        self.verify_shape = verify_shape

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return constant(self.value, self._dtype(dtype), shape, verify_shape=self.verify_shape)


@public("initializers.RandomUniform", "initializers.random_uniform", "random_uniform_initializer",
        "initializers.random_uniform_initializer")
class RandomUniform(Initializer):
    """Evenly distributed in [minval, maxval); maxval None: 1, and an integer dtype needs one.

    dtype: floating point, int32 or int64 (TypeError for others); shape: fully known (TypeError). As
    `tf.random_uniform_initializer`, but for the numbers of a seed (for those: `gc.set_random_mode`). Raises ValueError
    for integers without maxval, or with one that is not above minval.

    >>> drawn = gc.random_uniform_initializer(-1., 1., seed=1)([1000]).eval()
    >>> drawn.min() >= -1, drawn.max() < 1, bool(abs(drawn.mean()) < 0.1)
    (np.True_, np.True_, True)
    """

    def __init__(self, minval: Any = 0, maxval: Any = None, seed: int | None = None, dtype: Any = float32) -> None:
        super().__init__(dtype)
        self.minval = minval
        self.maxval = maxval
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return random.random_uniform(shape, self.minval, self.maxval, self._dtype(dtype), seed=self.seed)


@public("initializers.RandomNormal", "initializers.random_normal", "random_normal_initializer",
        "initializers.random_normal_initializer")
class RandomNormal(Initializer):
    """Normally distributed, with mean and stddev. As `tf.random_normal_initializer`, but for the numbers of a seed.

    dtype: floating point (TypeError for others); shape: fully known (TypeError).

    >>> drawn = gc.random_normal_initializer(mean=3., stddev=0.5, seed=1)([10000]).eval()
    >>> round(float(drawn.mean()), 1), round(float(drawn.std()), 1)
    (3.0, 0.5)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 1.0, seed: int | None = None, dtype: Any = float32) -> None:
        super().__init__(dtype)
        self.mean = mean
        self.stddev = stddev
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return random.random_normal(shape, self.mean, self.stddev, self._dtype(dtype), seed=self.seed)


@public("initializers.TruncatedNormal", "initializers.truncated_normal", "truncated_normal_initializer",
        "initializers.truncated_normal_initializer")
class TruncatedNormal(RandomNormal):
    """Normally distributed; what is more than two standard deviations from the mean is drawn again.

    dtype: floating point (TypeError for others); shape: fully known (TypeError). As `tf.truncated_normal_initializer`,
    but for the numbers of a seed.

    >>> drawn = gc.truncated_normal_initializer(stddev=0.1, seed=1)([1000]).eval()
    >>> bool(abs(drawn).max() <= 0.2)
    True
    """

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        return random.truncated_normal(shape, self.mean, self.stddev, self._dtype(dtype), seed=self.seed)


@public("initializers.UniformUnitScaling", "initializers.uniform_unit_scaling", "uniform_unit_scaling_initializer",
        "initializers.uniform_unit_scaling_initializer")
class UniformUnitScaling(Initializer):
    """Evenly distributed in +-sqrt(3 / inputs) * factor, inputs being the product of all axes but the last.

    That keeps the scale of what flows through. dtype: floating point (TypeError for others); shape: fully known
    (TypeError). As `tf.uniform_unit_scaling_initializer`, but for the numbers of a seed.

    >>> drawn = gc.uniform_unit_scaling_initializer(seed=1)([12, 100]).eval()
    >>> bool(abs(drawn).max() <= 0.5)
    True
    """

    def __init__(self, factor: float = 1.0, seed: int | None = None, dtype: Any = float32) -> None:
        super().__init__(dtype)
        self.factor = factor
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        sizes = whole_shape(shape, partition_info)
        limit = math.sqrt(3 / max(1.0, float(np.prod(sizes[:-1])))) * self.factor
        return random.random_uniform(shape, -limit, limit, self._dtype(dtype), seed=self.seed)


@public("initializers.VarianceScaling", "initializers.variance_scaling", "variance_scaling_initializer",
        "initializers.variance_scaling_initializer")
class VarianceScaling(Initializer):
    """Random numbers of variance scale / n, where n is fan_in, fan_out or their mean (fan_avg).

    Of weights [height, width, in, out] fan_in is height * width * in, fan_out height * width * out. distribution:
    "normal" or "truncated_normal", "untruncated_normal", "uniform". dtype: floating point (TypeError for others);
    shape: fully known (TypeError). As `tf.variance_scaling_initializer`, but for the numbers of a seed. Raises
    ValueError for a scale that is not positive, another mode or distribution.

    >>> he = gc.variance_scaling_initializer(scale=2., mode="fan_in", seed=1)
    >>> round(float(he([200, 100]).eval().std()), 2)         # sqrt(2 / 200)
    0.1
    """

    def __init__(self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal",
                 seed: int | None = None, dtype: Any = float32) -> None:
        if scale <= 0.0:
            raise ValueError(f"`scale` must be positive float, not {scale!r}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"Invalid `mode` argument: {mode!r}; it is fan_in, fan_out or fan_avg")
        distribution = distribution.lower()
        if distribution not in ("normal", "uniform", "truncated_normal", "untruncated_normal"):
            raise ValueError(f"Invalid `distribution` argument: {distribution!r}")
        super().__init__(dtype)
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        fan_in, fan_out = compute_fans(whole_shape(shape, partition_info))
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode]
        variance = self.scale / max(1.0, fan)
        dtype = self._dtype(dtype)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return random.random_uniform(shape, -limit, limit, dtype, seed=self.seed)
        if self.distribution == "untruncated_normal":
            return random.random_normal(shape, 0.0, math.sqrt(variance), dtype, seed=self.seed)
        # Truncating at two standard deviations leaves this part of the standard deviation.
        return random.truncated_normal(shape, 0.0, math.sqrt(variance) / 0.87962566103423978, dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initialiser, of this class."""
        own = ("scale", "mode", "distribution") if type(self) is VarianceScaling else ()
        names = (*own, "seed", "dtype")
        return {name: value for name, value in super().get_config().items() if name in names}


@public("initializers.GlorotUniform", "initializers.glorot_uniform", "glorot_uniform_initializer",
        "initializers.glorot_uniform_initializer")
class GlorotUniform(VarianceScaling):
    """Evenly distributed in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio): what `get_variable` takes for floats.

    dtype: floating point (TypeError for others); shape: fully known (TypeError). As `tf.glorot_uniform_initializer`,
    but for the numbers of a seed.

    >>> drawn = gc.glorot_uniform_initializer(seed=1)([100, 50]).eval()
    >>> bool(abs(drawn).max() <= 0.2)                         # sqrt(6 / 150)
    True
    """

    def __init__(self, seed: int | None = None, dtype: Any = float32) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, dtype)


@public("initializers.GlorotNormal", "initializers.glorot_normal", "glorot_normal_initializer",
        "initializers.glorot_normal_initializer")
class GlorotNormal(VarianceScaling):
    """Truncated normal numbers of variance 2 / (fan_in + fan_out). As `tf.glorot_normal_initializer`.

    dtype: floating point (TypeError for others); shape: fully known (TypeError).

    >>> drawn = gc.glorot_normal_initializer(seed=1)([100, 100]).eval()
    >>> round(float(drawn.std()), 2)                          # sqrt(2 / 200)
    0.1
    """

    def __init__(self, seed: int | None = None, dtype: Any = float32) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, dtype)


@public("initializers.Identity", "initializers.identity", "initializers.identity_initializer")
class Identity(Initializer):
    """gain times the identity matrix; ones on the diagonal of a matrix that is not square.

    dtype: numbers or bool. As `tf.initializers.identity`. Raises ValueError for a shape of another rank than 2,
    TypeError for strings.

    >>> gc.initializers.identity(gain=2.)([2, 3]).eval()
    array([[2., 0., 0.],
           [0., 2., 0.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0, dtype: Any = float32) -> None:
        super().__init__(dtype)
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Tensor:
        sizes = whole_shape(shape, partition_info)
        if len(sizes) != 2:
            raise ValueError("Identity matrix initializer can only be used for 2D matrices, not for shape "
                             f"{tuple(sizes)}")
        wanted = self._dtype(dtype)
        begin = [0, 0] if partition_info is None else partition_info.var_offset
        part = tuple(slice(b, b + int(n)) for b, n in zip(begin, as_shape(shape).as_list(), strict=True))
        return constant((self.gain * np.eye(*sizes))[part].astype(wanted.numpy), wanted)


@public("initializers.he_normal")
def he_normal(seed: int | None = None) -> Initializer:
    """Truncated normal numbers of variance 2 / fan_in (He et al.), for layers with `relu`. As
    `tf.initializers.he_normal`.

    dtype: float32, or the floating point one that it is called with (TypeError for others); shape: fully known
    (TypeError).

    >>> round(float(gc.initializers.he_normal(seed=1)([200, 100]).eval().std()), 2)
    0.1
    """
    return VarianceScaling(2.0, "fan_in", "truncated_normal", seed)


@public("initializers.he_uniform")
def he_uniform(seed: int | None = None) -> Initializer:
    """Evenly distributed in +-sqrt(6 / fan_in): of variance 2 / fan_in. As `tf.initializers.he_uniform`.

    dtype: float32, or the floating point one that it is called with (TypeError for others); shape: fully known
    (TypeError).

    >>> bool(abs(gc.initializers.he_uniform(seed=1)([150, 10]).eval()).max() <= 0.2)
    True
    """
    return VarianceScaling(2.0, "fan_in", "uniform", seed)


@public("initializers.lecun_normal")
def lecun_normal(seed: int | None = None) -> Initializer:
    """Truncated normal numbers of variance 1 / fan_in (LeCun et al.). As `tf.initializers.lecun_normal`.

    dtype: float32, or the floating point one that it is called with (TypeError for others); shape: fully known
    (TypeError).

    >>> round(float(gc.initializers.lecun_normal(seed=1)([100, 100]).eval().std()), 2)
    0.1
    """
    return VarianceScaling(1.0, "fan_in", "truncated_normal", seed)


@public("initializers.lecun_uniform")
def lecun_uniform(seed: int | None = None) -> Initializer:
    """Evenly distributed in +-sqrt(3 / fan_in): of variance 1 / fan_in. As `tf.initializers.lecun_uniform`.

    dtype: float32, or the floating point one that it is called with (TypeError for others); shape: fully known
    (TypeError).

    >>> bool(abs(gc.initializers.lecun_uniform(seed=1)([75, 10]).eval()).max() <= 0.2)
    True
    """
    return VarianceScaling(1.0, "fan_in", "uniform", seed)


def whole_shape(shape: Any, partition_info: Any) -> list[int]:
    """That of the variable of which a part of `shape` is made; partition_info None: of all of it."""
    sizes = as_shape(shape).as_list() if partition_info is None else partition_info.full_shape
    return [int(s) for s in sizes]


def compute_fans(shape: Sequence[int]) -> tuple[float, float]:
    """Inputs and outputs of one unit of a layer whose weights have this shape (spatial axes first)."""
    if len(shape) < 1:
        return 1.0, 1.0
    if len(shape) == 1:
        return float(shape[0]), float(shape[0])
    receptive = float(np.prod(shape[:-2]))
    return shape[-2] * receptive, shape[-1] * receptive
