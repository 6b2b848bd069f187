"""The cases of bench/run.py under torch.compile: losses with their gradients, and forward passes, each as a whole."""
from __future__ import annotations

from collections.abc import Callable

import torch

import torch_cases


def make(threads: int, gpu: bool) -> dict[str, Callable[[], Callable[[], object]]]:
    return torch_cases.make(threads, gpu, torch.compile)
