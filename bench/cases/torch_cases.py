"""The cases of bench/run.py in eager PyTorch; torch_compiled_cases.py gives the same functions to torch.compile."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F

import shared

Function = Callable[..., torch.Tensor]


def eager(function: Function) -> Function:
    return function


def make(threads: int, gpu: bool, prepared: Callable[[Function], Function] = eager
         ) -> dict[str, Callable[[], Callable[[], object]]]:
    """`prepared`: what is done to each function of tensors before it runs."""
    torch.set_num_threads(threads)
    torch.backends.cudnn.allow_tf32 = False          # float32 as graphc and TensorFlow 1 compute it
    device = "cuda" if gpu else "cpu"

    def tensor(value: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(value).to(device)

    def tiny() -> Callable[[], object]:
        value, add = np.ones(4, np.float32), prepared(lambda x: x + 1.0)
        return lambda: add(tensor(value)).cpu().numpy()

    def chain() -> Callable[[], object]:
        x, w = torch.ones(shared.CHAIN_SIZE, device=device), torch.full((shared.CHAIN_SIZE,), 1.01, device=device)

        def whole(y: torch.Tensor) -> torch.Tensor:
            for _ in range(shared.CHAIN_LENGTH):
                y = torch.tanh(y * w)
            return y

        whole = prepared(whole)
        return lambda: whole(x).cpu()

    def adam(parameters: list[torch.Tensor]) -> torch.optim.Optimizer:
        betas = shared.BETA_1, shared.BETA_2
        return torch.optim.Adam(parameters, shared.ADAM_RATE, betas, shared.EPSILON, fused=True)

    def train(parameters: list[torch.Tensor], logits: Callable[[torch.Tensor], torch.Tensor], images: np.ndarray,
              targets: np.ndarray, optimizer: Callable[[list[torch.Tensor]], torch.optim.Optimizer] = adam
              ) -> Callable[[], object]:
        update = optimizer(parameters)
        labels = tensor(targets)
        mean_loss = prepared(lambda x, y: F.cross_entropy(logits(x), y))

        def run() -> object:
            update.zero_grad()
            loss = mean_loss(tensor(images), labels)
            loss.backward()
            update.step()
            return loss.item()

        return run

    def parameter(value: np.ndarray) -> torch.Tensor:
        return tensor(np.ascontiguousarray(value)).requires_grad_()

    def mlp() -> Callable[[], object]:
        weights = [parameter(w) for w in shared.mlp_weights()]
        biases = [parameter(np.zeros(w.shape[1], np.float32)) for w in weights]

        def logits(h: torch.Tensor) -> torch.Tensor:
            for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
                h = torch.addmm(b, h, w)
                h = torch.relu(h) if i < len(weights) - 1 else h
            return h

        return train([*weights, *biases], logits, *shared.mlp_batch())

    def lenet() -> Callable[[], object]:
        c1, c2, d1, d2 = shared.lenet_weights()
        convolutions = [parameter(w.transpose(3, 2, 0, 1)).detach().contiguous(memory_format=torch.channels_last)
                        .requires_grad_() for w in (c1, c2)]
        dense = [parameter(w) for w in (d1, d2)]
        biases = [parameter(np.zeros(n, np.float32)) for n in (32, 64, 512, 10)]

        def logits(x: torch.Tensor) -> torch.Tensor:
            h = x.permute(0, 3, 1, 2)
            for w, b in zip(convolutions, biases[:2], strict=True):
                h = F.max_pool2d(torch.relu(F.conv2d(h, w, b, padding=2)), 2)
            h = h.permute(0, 2, 3, 1).reshape(-1, 7 * 7 * 64)
            return torch.addmm(biases[3], torch.relu(torch.addmm(biases[2], h, dense[0])), dense[1])

        return train([*convolutions, *dense, *biases], logits, *shared.lenet_batch())

    def resnet() -> Callable[[], object]:
        r, parameters = shared.rng(), []

        def made(form: shared.Convolution) -> Callable[[torch.Tensor], torch.Tensor]:
            w = parameter(form.filter(r).transpose(3, 2, 0, 1)).detach().contiguous(
                memory_format=torch.channels_last).requires_grad_()
            scale, shift = parameter(np.ones(form.results, np.float32)), parameter(np.zeros(form.results, np.float32))
            parameters.extend((w, scale, shift))
            return lambda h: F.batch_norm(F.conv2d(h, w, None, form.stride, form.pad), None, None, scale, shift, True)

        first = made(shared.RESNET_FIRST)
        blocks = [([made(c) for c in main], made(shortcut) if shortcut else None)
                  for main, shortcut in shared.resnet_blocks()]
        dense, bias = parameter(shared.resnet_dense()), parameter(np.zeros(shared.RESNET_CLASSES, np.float32))
        parameters.extend((dense, bias))

        def logits(x: torch.Tensor) -> torch.Tensor:
            h = F.max_pool2d(torch.relu(first(x.permute(0, 3, 1, 2))), 3, 2, 1)
            for (one, two, three), shortcut in blocks:
                y = torch.relu(two(torch.relu(one(h))))
                h = torch.relu(three(y) + (shortcut(h) if shortcut else h))
            return torch.addmm(bias, h.mean((2, 3)), dense)

        return train(parameters, logits, *shared.resnet_batch(), lambda p: torch.optim.SGD(p, shared.RESNET_RATE))

    def decoder(t: shared.Transformer, w: dict[str, torch.Tensor], tokens: torch.Tensor) -> torch.Tensor:
        """Logits of the word that follows each token."""
        def norm(h: torch.Tensor, name: str) -> torch.Tensor:
            return F.layer_norm(h, (t.width,), w[f"{name}/scale"], w[f"{name}/shift"], 1e-5)

        def dense(h: torch.Tensor, name: str) -> torch.Tensor:
            return torch.addmm(w[f"{name}/b"], h, w[f"{name}/w"])

        def attention(h: torch.Tensor, name: str) -> torch.Tensor:
            parts = dense(h, f"{name}/qkv").view(-1, t.tokens, 3, t.heads, t.head)
            q, k, v = parts.permute(2, 0, 3, 1, 4)
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            return dense(mixed.transpose(1, 2).reshape(-1, t.width), f"{name}/project")

        h = (w["words"][tokens] + w["places"]).view(-1, t.width)
        for i in range(t.layers):
            h = h + attention(norm(h, f"{i}/attention"), str(i))
            h = h + dense(F.gelu(dense(norm(h, f"{i}/dense"), f"{i}/up"), approximate="tanh"), f"{i}/down")
        return norm(h, "last") @ w["words"].T

    def transformer() -> Callable[[], object]:
        t = shared.TRAINED
        weights = {name: parameter(value) for name, value in t.weights().items()}
        tokens, following = t.text()
        return train([*weights.values()], lambda x: decoder(t, weights, x), tokens, following.reshape(-1))

    def gpt2(t: shared.Transformer) -> Callable[[], object]:
        weights = {name: tensor(value) for name, value in t.weights().items()}
        tokens, forward = t.text()[0], prepared(lambda x: decoder(t, weights, x))

        def run() -> object:
            with torch.inference_mode():
                return forward(tensor(tokens)).cpu().numpy()

        return run

    return {"tiny": tiny, "chain": chain, "chain-unfused": chain, "mlp-train": mlp, "lenet-train": lenet,
            "resnet-train": resnet, "transformer-train": transformer,
            "gpt2-small": lambda: gpt2(shared.GPT2_SMALL),
            "gpt2-long": lambda: gpt2(shared.GPT2_LONG)}
