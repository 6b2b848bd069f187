"""A peer of bench/micro.py in a process of its own: `python bench/micro_peer.py torch|onnxruntime|openblas` reads
cases, one a line behind the seconds to measure, and answers with the median seconds of one call on one thread, or
"none" for what it has not.

Weights are constants where the library knows such; PyTorch gets pictures as channels_last, which is faster there.
"""
from __future__ import annotations

import os
import sys
from collections.abc import Callable

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_variable] = "1"

import numpy as np

from micro_cases import MAPS, Case, Convolution, Product, from_text
from peer_timing import medians

Run = Callable[[], object]


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def map_values(size: int) -> dict[str, np.ndarray]:
    """x of any sign, w positive."""
    return {"x": normal(size), "w": np.abs(normal(size)) + 0.1}


def torch_run(case: Case) -> Run | None:
    """Eager calls, results in memory that is there where a single call makes them."""
    import torch

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    if isinstance(case, Convolution):
        x = torch.from_numpy(normal(case.n, case.c, case.size, case.size)).to(memory_format=torch.channels_last)
        shape = (case.c, case.oc) if case.transposed else (case.oc, case.c // case.groups)
        f = torch.from_numpy(normal(*shape, case.k, case.k)).to(memory_format=torch.channels_last)
        if case.transposed:
            return lambda: torch.nn.functional.conv_transpose2d(x, f, None, case.stride)
        return lambda: torch.nn.functional.conv2d(x, f, None, case.stride, case.pad, 1, case.groups)
    if isinstance(case, Product):
        a, b = (torch.from_numpy(v) for v in product_values(case))
        c = torch.empty(a.shape[:-1] + b.shape[-1:], dtype=a.dtype)
        multiply = torch.bmm if case.batch > 1 else torch.mm
        return lambda: multiply(a, b, out=c)
    given = {name: torch.from_numpy(v) for name, v in map_values(case.size).items()}
    words = {name: getattr(torch, name) for name in ("relu", "maximum", "abs", "sqrt", "exp", "log", "tanh", "sigmoid",
                                                     "sin", "erf", "pow")}
    code = compile(MAPS[case.name][0], case.name, "eval")
    return lambda: eval(code, {}, words | given)


def product_values(case: Product) -> tuple[np.ndarray, np.ndarray]:
    """a and b as they are multiplied: views of what is held."""
    (a_held, b_held), batch = case.transposed, (case.batch,) if case.batch > 1 else ()
    a = normal(*batch, *((case.k, case.m) if a_held else (case.m, case.k)))
    b = normal(*batch, *((case.n, case.k) if b_held else (case.k, case.n)))
    a, b = ((8 * v if case.dtype.startswith("int") else v).astype(case.dtype) for v in (a, b))
    return a.swapaxes(-1, -2) if a_held else a, b.swapaxes(-1, -2) if b_held else b


def openblas_run(case: Case) -> Run | None:
    """NumPy's."""
    if not isinstance(case, Product):
        return None
    a, b = product_values(case)
    c = np.empty(a.shape[:-1] + b.shape[-1:], a.dtype)
    return lambda: np.matmul(a, b, out=c)


def onnxruntime_run(case: Case) -> Run | None:
    """A model of the one op, its inputs and its result bound to memory. Maps of several ops are several nodes."""
    import onnxruntime
    from onnx import helper, numpy_helper

    constants: dict[str, np.ndarray] = {}
    if isinstance(case, Convolution):
        shape = (case.c, case.oc) if case.transposed else (case.oc, case.c // case.groups)
        constants["w"] = normal(*shape, case.k, case.k)
        given = {"x": normal(case.n, case.c, case.size, case.size)}
        nodes = [helper.make_node("ConvTranspose" if case.transposed else "Conv", ["x", "w"], ["y"],
                                  strides=[case.stride] * 2, pads=[case.pad] * 4, group=case.groups)]
        result = (case.n, case.oc, case.out, case.out)
    elif isinstance(case, Product):
        (a_held, b_held), (a, b) = case.transposed, product_values(case)
        given, held = {"x": a.swapaxes(-1, -2) if a_held else a}, b.swapaxes(-1, -2) if b_held else b
        (constants if case.constant else given)["w"] = held
        if case.batch > 1 and case.dtype == "float32":
            nodes = [helper.make_node("FusedMatMul", ["x", "w"], ["y"], domain="com.microsoft", transA=int(a_held),
                                      transB=int(b_held))]
        elif case.batch == 1 and not case.dtype.startswith("int"):
            nodes = [helper.make_node("Gemm", ["x", "w"], ["y"], transA=int(a_held), transB=int(b_held))]
        elif not (a_held or b_held):
            nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
        else:
            return None
        result = a.shape[:-1] + b.shape[-1:]
    else:
        return None
    kind = next(iter(given.values())).dtype
    number = helper.np_dtype_to_tensor_dtype(kind)
    values = [helper.make_tensor_value_info(name, number, v.shape) for name, v in given.items()]
    graph = helper.make_graph(nodes, "case", values, [helper.make_tensor_value_info("y", number, result)],
                              [numpy_helper.from_array(v, name) for name, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17),
                                                    helper.make_opsetid("com.microsoft", 1)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    binding, made = session.io_binding(), np.empty(result, kind)
    for name, value in given.items():
        binding.bind_input(name, "cpu", 0, kind, value.shape, value.ctypes.data)
    binding.bind_output("y", "cpu", 0, kind, made.shape, made.ctypes.data)
    keep = (given, made)
    return lambda: (session.run_with_iobinding(binding), keep)[0]


PEERS = {"torch": torch_run, "onnxruntime": onnxruntime_run, "openblas": openblas_run}


def main() -> None:
    make = PEERS[sys.argv[1]]
    if sys.argv[1] != "openblas":
        __import__(sys.argv[1])
    print("ready", flush=True)
    for line in sys.stdin:
        measuring, case = line.split(" ", 1)
        run = make(from_text(case))
        print("none" if run is None else medians({"run": run}, float(measuring))["run"], flush=True)


if __name__ == "__main__":
    main()
