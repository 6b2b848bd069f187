"""How many planted faults the emulator notices, by their kinds. Operands have memory of their own, just as large as
they are. A fault that changes nothing (a bound that no thread is at, a branch that is only quicker) cannot be noticed:
so many of each kind there may be."""
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from on_device import run_call, unset

from graphc.exec.cuda.calls.call import Products
from graphc.exec.cuda.code.ptx import TENSOR_COMPUTE, make_ptx
from graphc.exec.cuda.code.tensor_products import TensorProduct, tensor_product
from graphc.exec.cuda.work import Launch
from graphc.plan.plan import Instr, Program

from on_both import EVERYTHING, ON_GPU, run_map
from ptx.mutants import KINDS, Mutating, Run, is_noticed, mutants_of

RANDOM = np.random.default_rng(11)
EACH = 10 if EVERYTHING else 3       # mutants of a kind and module
pytestmark = pytest.mark.skipif(ON_GPU, reason="planted faults would lose the GPU's context")


def floats(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


def called(name: str, given: Sequence[np.ndarray], out: Any, dims: Sequence[int], attrs: Sequence[int] = ()) -> Run:
    """out: shape and dtype of each result. What checks look at counts as one, too: whether an index is refused."""
    def run(device: Any) -> list[np.ndarray]:
        found = run_call(device, name, given, [unset(*one) for one in out], dims, attrs)
        return [*found.outputs, *found.checked]

    return run


def mapped(count: int) -> Run:
    program = Program(("f32", "f32"), (Instr("mul", "f32", (0, 1)), Instr("add", "f32", (2, 1))), (3,))
    x, y = floats(count), floats(count)
    return lambda device: run_map(device, program, [x, y])


def on_tensor_cores(m: int, n: int, k: int, element: str = "f32") -> Run:
    a, b = (x.astype(np.float16 if element == "f16" else np.float32) for x in (floats(m, k), floats(k, n)))
    kernel = tensor_product(TensorProduct(2, True, False, True, True, True, element == "f32", element=element))
    text = make_ptx(kernel.text(), TENSOR_COMPUTE)

    def run(device: Any) -> list[np.ndarray]:
        c = np.zeros((m, n), np.float32)
        places = [device.allocate(array.nbytes) for array in (a, b, c)]
        for place, array in zip(places, (a, b), strict=False):
            device.upload(place, array.ctypes.data, array.nbytes)
        words = (*places, m, n, k, 0, 0, 0, k, n, n, k)
        Launch(text, "gc_tensor_product", (-(-m // 64) * -(-n // 64),), (256,), words).submit(device)
        device.download(c.ctypes.data, places[2], c.nbytes)
        device.wait()
        return [c]

    return run


def short_convolution() -> Run:
    """Of float16 in memory, with padding and strides; a filter is infinite, so what zeros make NaN is mended."""
    given = [(RANDOM.integers(1, 9, shape) / 8).astype(np.float16) for shape in ((2, 7, 6, 16), (3, 2, 16, 24))]
    given[1][0, 0, 0, 0] = np.inf

    def run(device: Any) -> list[np.ndarray]:
        out = np.zeros((2, 7, 3, 24), np.float16)
        return run_call(device, "conv2d.f32", given, [out], (2, 7, 6, 16, 3, 2, 24, 7, 3), (1, 2, 1, 1, 1, 0),
                        Products.EXACT_F16, ("f16",) * 3).outputs

    return run


CASES: dict[str, Run] = {
    "product": called("matmul.f32", [floats(33, 37), floats(37, 18)], [((33, 18), "f32")], (1, 33, 18, 37, 0, 0),
                      (0, 0)),
    "product of whole tiles": called("matmul.f32", [floats(32, 48), floats(48, 32)], [((32, 32), "f32")],
                                     (1, 32, 32, 48, 0, 0), (0, 0)),
    "tensor cores": on_tensor_cores(68, 72, 60),
    **({"tensor cores, 16 bits": on_tensor_cores(68, 72, 72, "f16"),
        "windows of 16 bits": short_convolution()} if EVERYTHING else {}),
    "map": mapped(1500), "map of one block": mapped(1024),
    "softmax": called("softmax.f32", [floats(5, 70)], [((5, 70), "f32")], (5, 70)),
    "cumsum": called("cumsum.f32", [floats(3, 300)], [((3, 300), "f32")], (3, 300), (0, 0)),
    "top_k": called("top_k.f32", [floats(3, 100)], [((3, 5), "f32"), ((3, 5), "i32")], (3, 100, 5)),
    "gather": called("gather.f32.i32", [floats(2, 7, 3), np.array([6, 0, 3, 3, 6], np.int32)], [((2, 5, 3), "f32")],
                     (2, 7, 3, 5)),
}
# What share of the faults of a kind must be noticed. The smaller of two in place of the larger is noticed only where
# the largest of all goes through: at one of ten places where gather looks for the largest index.
WANTED = {"no barrier": 0.75, "bound": 0.3, "stride": 0.6, "offset": 0.8, "no predicate": 0.5, "always": 0.75,
          "operation": 0.6}


def test_planted_faults_are_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = np.random.default_rng(12)
    planted: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    missed = []
    for case, run in CASES.items():
        device = Mutating()
        expected = run(device)
        for text in device.texts:
            mutants = list(mutants_of(text))
            for kind in KINDS:
                some = [m for m in mutants if m.kind == kind]
                for mutant in [some[i] for i in chosen.permutation(len(some))[:EACH]]:
                    planted[kind] += 1
                    seen = is_noticed(mutant, run, expected)
                    noticed[kind] += seen
                    missed += [] if seen else [f"{case}: {mutant}"]
    share = {kind: f"{noticed[kind]} of {planted[kind]}" for kind in KINDS}
    with capsys.disabled():
        print("\nplanted faults noticed:", share)
    few = [kind for kind in KINDS if noticed[kind] < WANTED[kind] * planted[kind]]
    assert not few and all(planted.values()), "\n".join([str(share), *missed])
