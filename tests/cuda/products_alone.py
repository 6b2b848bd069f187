"""Products of matrices on the device, without a plan around them."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from graphc.exec.cuda.calls.call import Call, Products
from graphc.exec.cuda.calls.products import Factors
from graphc.exec.cuda.memory import Block
from graphc.exec.library import load_library

HALVES = {"f16": np.dtype(np.float16), "bf16": np.dtype(ml_dtypes.bfloat16)}
Works = Callable[[Call, Factors, int, int, int], list[Any]]


def multiplied(device: Any, a: np.ndarray, b: np.ndarray, turned: tuple[bool, bool], how: Products, works: Works,
               shift: int = 0, shared: bool = False, element: str = "",
             result: str = "") -> tuple[np.ndarray, set[str]]:
    """(a b of batches as it is in memory, names of the kernels). turned: which factors lie transposed in memory; works:
    what makes the work of factors at three addresses; shift: bytes by which a lies behind an address of 16; shared: all
    of the batch have the first b; element, result: as in Factors, what factors and c are in memory."""
    device.enter()
    kept: list[Block] = []

    def room(count: int) -> int:
        kept.append(Block(device, count))
        return kept[-1].address

    def placed(x: np.ndarray, behind: int = 0) -> int:
        x, at = np.ascontiguousarray(x), room(x.nbytes + behind) + behind
        device.upload(at, x.ctypes.data, x.nbytes)
        device.wait()
        return at

    (batch, m, k), n = a.shape, b.shape[2]
    left, right = (x.swapaxes(1, 2) if turn else x for x, turn in zip((a, b), turned, strict=True))
    left, right = (x.astype(HALVES[element]) if element else x for x in (left, right))
    c = np.empty((batch, m, n), HALVES[result] if result else np.float32)
    places = placed(left, shift), placed(right[:1] if shared else right), room(c.nbytes)
    call = Call(("f32",), (), (), (), load_library(), room, lambda stored: 0, products=how)
    made = works(call, Factors("f32", batch, m, n, k, m * k, 0 if shared else k * n, *turned,
                                 element=element, result=result), *places)
    for work in made:
        work.prepare(device)
        work.submit(device)
    device.download(c.ctypes.data, places[2], c.nbytes)
    device.wait()
    return c, {getattr(work, "name", "") for work in made}
