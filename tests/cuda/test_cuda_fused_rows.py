"""Saved plans have a CPU's kernels for norms, gradients of softmax and losses: in C++ a GPU does them, too."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.serial.plan_proto import load_plan

from gpu_models import WHERE, Pair, exported, gpu

pytestmark = pytest.mark.skipif(not WHERE, reason="the library in place of libcuda is for x86-64")
RNG = np.random.default_rng(17)


@pytest.fixture(params=WHERE, autouse=True)
def library(request: Any) -> Any:
    with gpu(request.param, compute=80) as found:
        yield found


def layer_norm(h: Any) -> Any:
    mean, variance = gc.nn.moments(h, [-1], keep_dims=True)
    scale, shift = gc.Variable(np.linspace(0.5, 2, 33, dtype=np.float32)), gc.Variable(np.zeros(33, np.float32))
    return (h - mean) * gc.rsqrt(variance + 1e-5) * scale + shift


def rms_norm(h: Any) -> Any:
    return h * gc.rsqrt(gc.reduce_mean(gc.square(h), -1, keepdims=True) + 1e-5)


LAYERS = {"layer_norm": layer_norm, "rms_norm": rms_norm, "softmax": gc.nn.softmax, "log_softmax": gc.nn.log_softmax,
          "plain": lambda h: h}


@pytest.mark.parametrize("name, wanted", [
    ("layer_norm", "layer_norm_grad.f32"), ("rms_norm", "layer_norm_grad.f32"), ("softmax", "softmax_grad.f32"),
    ("log_softmax", "log_softmax_grad.f32"), ("plain", "weighted_sparse_softmax_cross_entropy.f32.i32"),
    ("dense", "weighted_softmax_cross_entropy.f32")])
def test_training_is_the_cpus(name: str, wanted: str, tmp_path: Path) -> None:
    def build() -> Any:
        x, label = gc.placeholder(gc.float32, [None, 17], "x"), gc.placeholder(gc.int32, [None], "label")
        w = gc.Variable(RNG.standard_normal((17, 33)).astype(np.float32))
        h = LAYERS.get(name, LAYERS["plain"])(gc.matmul(x, w))
        if "softmax" in name:
            loss = gc.reduce_sum(h * h, 1) * gc.cast(label, gc.float32)
        elif name == "dense":
            loss = gc.nn.softmax_cross_entropy_with_logits(labels=gc.one_hot(label, 33), logits=h)
        else:
            loss = gc.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=h * 2.0 + gc.sin(h))
        loss = gc.reduce_mean(loss + gc.reduce_sum(h * h, 1) if "norm" in name else loss)
        train = gc.train.GradientDescentOptimizer(0.05).minimize(loss)
        return {"train": gc.Signature({"loss": loss, "train": train}, {"x": x, "label": label})}

    model = exported(build)
    kernels = {getattr(step, "kernel", "") for body in load_plan(model.plans[0]).bodies for step in body.steps}
    assert wanted in kernels
    x, label = RNG.standard_normal((5, 17)).astype(np.float32), np.arange(5, dtype=np.int32)
    with Pair(model, tmp_path, [{"x": (5, 17), "label": (5,)}]) as pair:
        for _ in range(3):
            pair.assert_close("train", x, label, tolerance=1e-4)
        pair.assert_same_states(tolerance=1e-4)


def test_convolutions_pools_and_norms_of_16_bits(tmp_path: Path) -> None:
    """In C++ as in Python: what is bfloat16 in the graph is so in the GPU's memory."""
    def build() -> Any:
        x, label = gc.placeholder(gc.float32, [None, 6, 6, 16], "x"), gc.placeholder(gc.int32, [None], "label")
        f, w = (gc.Variable((RNG.standard_normal(shape) / 8).astype(np.float32))
                for shape in ((3, 2, 16, 32), (32, 16)))
        h = gc.nn.conv2d(gc.cast(x, gc.bfloat16), gc.cast(f, gc.bfloat16), [1, 1, 1, 1], "SAME")
        h = gc.nn.max_pool(gc.nn.relu(h), [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
        h = gc.nn.softmax(gc.reshape(h, [-1, 32])) * gc.constant(8.0, gc.bfloat16)
        y = gc.cast(gc.matmul(h, gc.cast(w, gc.bfloat16)), gc.float32)
        y = gc.reduce_mean(gc.reshape(y, [-1, 9, 16]), 1)
        loss = gc.reduce_mean(gc.nn.sparse_softmax_cross_entropy_with_logits(labels=label, logits=y))
        train = gc.train.GradientDescentOptimizer(0.05).minimize(loss)
        return {"train": gc.Signature({"loss": loss, "train": train}, {"x": x, "label": label})}

    x, label = RNG.standard_normal((3, 6, 6, 16)).astype(np.float32), np.arange(3, dtype=np.int32)
    with Pair(exported(build), tmp_path, [{"x": x.shape, "label": (3,)}]) as pair:
        for _ in range(2):
            pair.assert_close("train", x, label, tolerance=1e-2)
        pair.assert_same_states(tolerance=1e-2)
