"""Peak memory of whole programs beside peers: `PYTHONPATH=.:bench python bench/memory.py [--peer-python PATH]`.

Each library runs each case in a process of its own, three iterations, on two threads: the training cases of
bench/run.py, and ResNet-50's inference with 16 pictures, of the file that graphc writes (bench/resnet.py). Counted are
resident bytes, the process' most, beyond what it had with its libraries imported; so weights, gradients and all else
count, and what building the program took.
"""
from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
THREADS, ITERATIONS, PICTURES = 2, 3, 16
TRAINING, INFERENCE = ("lenet-train", "resnet-train", "transformer-train"), "resnet-inference"
PEERS = dict.fromkeys(TRAINING, ("torch", "tensorflow")) | {INFERENCE: ("onnxruntime", "openvino")}


def status(field: str) -> int:
    """Bytes, of /proc/self/status."""
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith(field))
    return int(line.split()[1]) << 10


def training(library: str, case: str) -> Callable[[], Callable[[], object]]:
    sys.path.insert(0, str(HERE / "cases"))
    make: Callable[[], Callable[[], object]] = importlib.import_module(f"{library}_cases").make(THREADS, False)[case]
    return make


def inference(library: str, path: str) -> Callable[[], Callable[[], object]]:
    import resnet

    module = importlib.import_module(library)

    def ours() -> Callable[[], object]:
        session = module.Session(config=module.ConfigProto(intra_op_parallelism_threads=THREADS))
        (y,), (x,) = module.import_graph_def(module.load_graph_def(path), return_elements=["y:0"], name=""), [
            module.get_default_graph().get_tensor_by_name("x:0")]
        pictures = resnet.pictures(PICTURES)
        return lambda: session.run(y, {x: pictures})

    def onnxruntime() -> Callable[[], object]:
        options = module.SessionOptions()
        options.intra_op_num_threads = THREADS
        session = module.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        pictures = resnet.pictures(PICTURES)
        return lambda: session.run(None, {session.get_inputs()[0].name: pictures})

    def openvino() -> Callable[[], object]:
        pictures, core = resnet.pictures(PICTURES), module.Core()
        model = core.read_model(path)
        model.reshape(list(pictures.shape))
        request = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": THREADS, "NUM_STREAMS": 1,
                                                    "INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
        return lambda: request.infer([pictures])
    return {"graphc": ours, "onnxruntime": onnxruntime, "openvino": openvino}[library]


def child(library: str, case: str, path: str) -> None:
    """Answers with the bytes."""
    make = inference(library, path) if case == INFERENCE else training(library, case)
    before = status("VmRSS")
    run = make()
    for _ in range(ITERATIONS):
        run()
    print(json.dumps(status("VmHWM") - before))


def write_models(folder: str) -> dict[str, str]:
    """ResNet-50 for graphc, and as ONNX."""
    import resnet

    import graphc as gc

    x = gc.placeholder(gc.float32, [None, 3, 224, 224], name="x")
    y = gc.identity(resnet.network(gc, x), name="y")
    session = gc.Session()
    gc.train.write_graph(gc.freeze(session, [y]), folder, "resnet.pb", as_text=False)
    gc.onnx.export(session, {"y": y}, f"{folder}/resnet.onnx")
    return {"graphc": f"{folder}/resnet.pb"} | dict.fromkeys(PEERS[INFERENCE], f"{folder}/resnet.onnx")


def measured(python: str, library: str, case: str, path: str) -> float | None:
    """Bytes; None if the library is not there."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(THREADS), TF_CPP_MIN_LOG_LEVEL="3",
                       PYTHONPATH=f"{HERE.parent}:{HERE}" if library == "graphc" else str(HERE))
    done = subprocess.run([python, __file__, "child", library, case, path], capture_output=True, text=True,
                          env=environment)
    return float(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def main() -> None:
    if sys.argv[1:2] == ["child"]:
        child(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", default=str(HERE.parent / "build/peers/bin/python"))
    parser.add_argument("--case", action="append", choices=PEERS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_models(folder)
        for case in options.case or PEERS:
            own = measured(sys.executable, "graphc", case, paths["graphc"])
            row = f"{case:20} graphc {(own or 0) / 1e6:8,.0f} MB"
            for library in PEERS[case]:
                theirs = measured(options.peer_python, library, case, paths.get(library, ""))
                row += f", {library} " + ("-" if theirs is None or not own else
                                          f"{theirs / 1e6:8,.0f} MB ({theirs / own:.2f}x)")
            print(row, flush=True)


if __name__ == "__main__":
    main()
