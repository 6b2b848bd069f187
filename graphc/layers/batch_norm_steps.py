"""What batch normalisation computes: fused, or from moments, with renormalisation and adjustment; and its updates.

`training` may be known while the graph is built, or only in a run: then the moments are chosen by a cond, and the
updates, which run in any case, leave the averages as they are.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import graphc as gc

_choose = gc.contrib.framework.smart_cond
_known = gc.contrib.framework.smart_constant_value
_assign_moving_average = gc.train.assign_moving_average


class Steps:
    """The computing part of BatchNormalization."""

    axis: list[int]
    momentum: Any
    epsilon: float
    gamma: Any
    beta: Any
    moving_mean: Any
    moving_variance: Any
    moving_stddev: Any
    renorm: bool
    renorm_clipping: dict[str, Any]
    renorm_momentum: Any
    renorm_mean: Any
    renorm_stddev: Any
    virtual_batch_size: int | None
    adjustment: Callable[[Any], tuple[Any, Any]] | None
    _parameter_dtype: Any
    add_update: Callable[[Any], None]

    def _fused(self, inputs: Any, training: Any) -> Any:
        layout = "NCHW" if self.axis == [1] else "NHWC"
        size = inputs.get_shape()[self.axis[0]].value
        gamma = gc.ones([size], self._parameter_dtype) if self.gamma is None else self.gamma
        beta = gc.zeros([size], self._parameter_dtype) if self.beta is None else self.beta

        def of_batch() -> Any:
            return gc.nn.fused_batch_norm(inputs, gamma, beta, epsilon=self.epsilon, data_format=layout)

        def of_averages() -> Any:
            return gc.nn.fused_batch_norm(inputs, gamma, beta, self.moving_mean, self.moving_variance, self.epsilon,
                                          layout, is_training=False)

        outputs, mean, variance = _choose(training, of_batch, of_averages)
        known = _known(training)
        if known is not False:
            keep = self.momentum if known else _choose(training, lambda: gc.convert_to_tensor(self.momentum),
                                                       lambda: gc.ones_like(gc.convert_to_tensor(self.momentum)))
            self.add_update(lambda: _assign_moving_average(self.moving_mean, mean, keep, zero_debias=False))
            self.add_update(lambda: _assign_moving_average(self.moving_variance, variance, keep, zero_debias=False))
        return outputs

    def _general(self, inputs: Any, training: Any) -> Any:
        rank = inputs.get_shape().ndims
        axes = [a for a in range(rank) if a not in self.axis]
        if self.virtual_batch_size is not None:
            del axes[1]                         # one virtual batch each
        broadcast = self._broadcasting(inputs, axes)
        scale, offset = broadcast(self.gamma), broadcast(self.beta)
        mean, variance = self.moving_mean, self.moving_variance
        if _known(training) is not False:
            if self.adjustment is not None:
                scale, offset = _composed(*self._adjusted(inputs, training), scale, offset)
            mean, variance = self._moments(inputs, axes, training)
            new_mean, new_variance = self._over_virtual_batches(mean), self._over_virtual_batches(variance)
            if self.renorm:
                r, d, new_mean, new_variance = self._renormalised(new_mean, new_variance, training)
                scale, offset = _composed(broadcast(gc.stop_gradient(r, name="renorm_r")),
                                          broadcast(gc.stop_gradient(d, name="renorm_d")), scale, offset)
            self._update_averages(new_mean, new_variance, training)
        mean, variance, offset, scale = (None if v is None else gc.cast(v, inputs.dtype)
                                         for v in (mean, variance, offset, scale))
        outputs = gc.nn.batch_normalization(inputs, broadcast(mean), broadcast(variance), offset, scale, self.epsilon)
        outputs.set_shape(inputs.get_shape())
        return outputs

    def _broadcasting(self, inputs: Any, axes: Sequence[int]) -> Callable[[Any], Any]:
        """What brings a value a channel into the inputs' shape; values of the last axis are in it already."""
        rank = inputs.get_shape().ndims
        shape = [1] * rank
        shape[self.axis[0]] = inputs.get_shape()[self.axis[0]].value

        def broadcast(value: Any) -> Any:
            if value is None or value.get_shape().ndims == rank or list(axes) == list(range(rank - 1)):
                return value
            return gc.reshape(value, shape)

        return broadcast

    def _adjusted(self, inputs: Any, training: Any) -> tuple[Any, Any]:
        """Scale and bias of `adjustment`, which change nothing out of training."""
        assert self.adjustment is not None
        scale, bias = self.adjustment(gc.shape(inputs))
        return (_choose(training, lambda: scale, lambda: gc.ones_like(scale)),
                _choose(training, lambda: bias, lambda: gc.zeros_like(bias)))

    def _moments(self, inputs: Any, axes: Sequence[int], training: Any) -> tuple[Any, Any]:
        keep = self.virtual_batch_size is not None or len(self.axis) > 1
        mean, variance = gc.nn.moments(gc.cast(inputs, self._parameter_dtype), axes, keep_dims=keep)
        return (_choose(training, lambda: mean, lambda: gc.convert_to_tensor(self.moving_mean)),
                _choose(training, lambda: variance, lambda: gc.convert_to_tensor(self.moving_variance)))

    def _over_virtual_batches(self, value: Any) -> Any:
        return value if self.virtual_batch_size is None else gc.reduce_mean(value, axis=1, keepdims=True)

    def _renormalised(self, mean: Any, variance: Any, training: Any) -> tuple[Any, Any, Any, Any]:
        """(r, d) that correct the batch's moments towards their averages, clipped; mean and variance after the
        averages of them have moved."""
        stddev = gc.sqrt(variance + self.epsilon)
        average_stddev = gc.maximum(self.renorm_stddev, gc.sqrt(gc.cast(self.epsilon, stddev.dtype)))
        r, d = stddev / average_stddev, (mean - self.renorm_mean) / average_stddev
        with gc.control_dependencies([r, d]):           # they see the averages before this batch
            mean, stddev = gc.identity(mean), gc.identity(stddev)
        clip = self.renorm_clipping
        if clip.get("rmin") is not None:
            r = gc.maximum(r, clip["rmin"])
        if clip.get("rmax") is not None:
            r = gc.minimum(r, clip["rmax"])
        if clip.get("dmax") is not None:
            d = gc.minimum(gc.maximum(d, -clip["dmax"]), clip["dmax"])
        r = _choose(training, lambda: r, lambda: gc.ones_like(r))
        d = _choose(training, lambda: d, lambda: gc.zeros_like(d))
        moved = [self._moved(self.renorm_mean, mean, training), self._moved(self.renorm_stddev, stddev, training)]
        with gc.control_dependencies(moved):
            return r, d, gc.identity(mean), gc.identity(variance)

    def _moved(self, average: Any, value: Any, training: Any) -> Any:
        def moved() -> Any:
            return _assign_moving_average(average, value, self.renorm_momentum, zero_debias=False)

        return _choose(training, moved, lambda: gc.identity(average))

    def _update_averages(self, mean: Any, variance: Any, training: Any) -> None:
        def moved(average: Any, value: Any) -> Any:
            return _assign_moving_average(average, value, self.momentum, zero_debias=False)

        def moved_variance() -> Any:
            if not self.renorm:
                return moved(self.moving_variance, variance)
            stddev = moved(self.moving_stddev, gc.sqrt(variance + self.epsilon))
            return gc.assign(self.moving_variance, gc.nn.relu(stddev * stddev - self.epsilon), name="AssignNewValue")

        self.add_update(lambda: _choose(training, lambda: moved(self.moving_mean, mean),
                                        lambda: gc.convert_to_tensor(self.moving_mean)))
        self.add_update(lambda: _choose(training, moved_variance,
                                        lambda: gc.convert_to_tensor(self.moving_variance)))


def _composed(scale: Any, offset: Any, then_scale: Any, then_offset: Any) -> tuple[Any, Any]:
    """(x * scale + offset) * then_scale + then_offset as one scale and offset; None changes nothing."""
    if then_scale is not None:
        scale, offset = scale * then_scale, offset * then_scale
    return scale, offset if then_offset is None else offset + then_offset
