"""The cases of bench/run.py in JAX: functions of parameters under jax.jit, the updated ones in the old ones' memory."""
from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

import shared

Step = Callable[[], object]


def make(threads: int, gpu: bool) -> dict[str, Callable[[], Step]]:
    # XLA's pool has a thread for each core that the process may use when JAX starts; there is no setting.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    os.environ["JAX_PLATFORMS"] = "cuda" if gpu else "cpu"
    import jax
    import jax.numpy as jnp
    from jax import lax

    def tiny() -> Step:
        add, value = jax.jit(lambda x: x + 1.0), np.ones(4, np.float32)
        return lambda: np.asarray(add(value))

    def chain() -> Step:
        w, value = jnp.full(shared.CHAIN_SIZE, 1.01, jnp.float32), np.ones(shared.CHAIN_SIZE, np.float32)

        @jax.jit
        def whole(y: Any) -> Any:
            for _ in range(shared.CHAIN_LENGTH):
                y = jnp.tanh(y * w)
            return y

        return lambda: np.asarray(whole(value))

    def sgd(p: Any, slopes: Any, slots: Any) -> Any:
        return jax.tree.map(lambda value, slope: value - shared.RESNET_RATE * slope, p, slopes), slots

    def adam(p: Any, slopes: Any, slots: Any) -> Any:
        """Slots: first moments, second moments, steps so far."""
        first, second, count = slots
        count += 1
        rate = shared.ADAM_RATE * jnp.sqrt(1 - shared.BETA_2 ** count) / (1 - shared.BETA_1 ** count)
        first = jax.tree.map(lambda m, s: m + (1 - shared.BETA_1) * (s - m), first, slopes)
        second = jax.tree.map(lambda v, s: v + (1 - shared.BETA_2) * (s * s - v), second, slopes)
        moved = jax.tree.map(lambda x, m, v: x - rate * m / (jnp.sqrt(v) + shared.EPSILON), p, first, second)
        return moved, (first, second, count)

    def train(parameters: Any, logits: Callable[[Any, Any], Any], images: np.ndarray, targets: np.ndarray,
              update: Callable[[Any, Any, Any], Any] = adam) -> Step:
        def mean_loss(p: Any, x: Any, labels: Any) -> Any:
            logarithms = jax.nn.log_softmax(logits(p, x))
            return -jnp.take_along_axis(logarithms, labels[:, None], axis=1).mean()

        def step(state: Any, x: Any, labels: Any) -> Any:
            p, slots = state
            loss, slopes = jax.value_and_grad(mean_loss)(p, x, labels)
            return loss, update(p, slopes, slots)

        first, second = (jax.tree.map(jnp.zeros_like, parameters) for _ in range(2))
        compiled = jax.jit(step, donate_argnums=0)
        state = jax.tree.map(jnp.asarray, parameters), (first, second, jnp.float32(0))

        def run() -> object:
            nonlocal state
            loss, state = compiled(state, images, targets)
            return float(loss)

        return run

    def mlp() -> Step:
        def logits(p: Any, h: Any) -> Any:
            for i, (w, b) in enumerate(p):
                h = h @ w + b
                h = jax.nn.relu(h) if i < len(p) - 1 else h
            return h

        return train([(w, np.zeros(w.shape[1], np.float32)) for w in shared.mlp_weights()], logits, *shared.mlp_batch())

    def convolved(h: Any, w: Any, stride: int, pad: int) -> Any:
        return lax.conv_general_dilated(h, w, (stride, stride), [(pad, pad)] * 2,
                                        dimension_numbers=("NHWC", "HWIO", "NHWC"))

    def pooled(h: Any, size: int, stride: int, pad: int) -> Any:
        around = [(0, 0), (pad, pad), (pad, pad), (0, 0)]
        return lax.reduce_window(h, -jnp.inf, lax.max, (1, size, size, 1), (1, stride, stride, 1), around)

    def lenet() -> Step:
        def logits(p: Any, h: Any) -> Any:
            for w, b in p[:2]:
                h = pooled(jax.nn.relu(convolved(h, w, 1, 2) + b), 2, 2, 0)
            (d1, b1), (d2, b2) = p[2:]
            return jax.nn.relu(h.reshape(-1, 7 * 7 * 64) @ d1 + b1) @ d2 + b2

        parameters = [(w, np.zeros(w.shape[-1], np.float32)) for w in shared.lenet_weights()]
        return train(parameters, logits, *shared.lenet_batch())

    def resnet() -> Step:
        r = shared.rng()

        def weights(form: shared.Convolution) -> tuple[np.ndarray, ...]:
            return form.filter(r), np.ones(form.results, np.float32), np.zeros(form.results, np.float32)

        def convolution(p: Any, h: Any, form: shared.Convolution) -> Any:
            w, scale, shift = p
            h = convolved(h, w, form.stride, form.pad)
            return (h - h.mean((0, 1, 2))) * lax.rsqrt(h.var((0, 1, 2)) + 1e-5) * scale + shift

        def logits(p: Any, h: Any) -> Any:
            h = pooled(jax.nn.relu(convolution(p["first"], h, shared.RESNET_FIRST)), 3, 2, 1)
            for (forms, across), (main, shortcut) in zip(shared.resnet_blocks(), p["blocks"], strict=True):
                y = h
                for form, weight in list(zip(forms, main, strict=True))[:2]:
                    y = jax.nn.relu(convolution(weight, y, form))
                h = jax.nn.relu(convolution(main[2], y, forms[2]) + (convolution(shortcut, h, across) if across else h))
            return h.mean((1, 2)) @ p["dense"] + p["bias"]

        parameters = {"first": weights(shared.RESNET_FIRST)}
        parameters["blocks"] = [([weights(form) for form in main], weights(shortcut) if shortcut else None)
                                for main, shortcut in shared.resnet_blocks()]
        parameters |= {"dense": shared.resnet_dense(), "bias": np.zeros(shared.RESNET_CLASSES, np.float32)}
        return train(parameters, logits, *shared.resnet_batch(), sgd)

    def decoder(t: shared.Transformer, w: Any, tokens: Any) -> Any:
        """Logits of the word that follows each token."""
        def norm(h: Any, name: str) -> Any:
            mean, variance = h.mean(-1, keepdims=True), h.var(-1, keepdims=True)
            return (h - mean) * lax.rsqrt(variance + 1e-5) * w[f"{name}/scale"] + w[f"{name}/shift"]

        def dense(h: Any, name: str) -> Any:
            return h @ w[f"{name}/w"] + w[f"{name}/b"]

        def attention(h: Any, name: str) -> Any:
            parts = dense(h, f"{name}/qkv").reshape(-1, t.tokens, 3, t.heads, t.head)
            mixed = jax.nn.dot_product_attention(parts[:, :, 0], parts[:, :, 1], parts[:, :, 2], is_causal=True)
            return dense(mixed.reshape(-1, t.width), f"{name}/project")

        h = (w["words"][tokens] + w["places"]).reshape(-1, t.width)
        for i in range(t.layers):
            h = h + attention(norm(h, f"{i}/attention"), str(i))
            h = h + dense(jax.nn.gelu(dense(norm(h, f"{i}/dense"), f"{i}/up")), f"{i}/down")
        return norm(h, "last") @ w["words"].T

    def transformer() -> Step:
        t = shared.TRAINED
        tokens, following = t.text()
        return train(t.weights(), lambda w, x: decoder(t, w, x), tokens, following.reshape(-1))

    def gpt2(t: shared.Transformer) -> Step:
        forward, tokens = jax.jit(lambda w, x: decoder(t, w, x)), t.text()[0]
        weights = jax.tree.map(jnp.asarray, t.weights())
        return lambda: np.asarray(forward(weights, tokens))

    return {"tiny": tiny, "chain": chain, "chain-unfused": chain, "mlp-train": mlp, "lenet-train": lenet,
            "resnet-train": resnet, "transformer-train": transformer,
            "gpt2-small": lambda: gpt2(shared.GPT2_SMALL),
            "gpt2-long": lambda: gpt2(shared.GPT2_LONG)}
