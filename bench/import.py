"""Times that a user waits before anything runs: `python bench/import.py`.

    numpy        `import numpy`, in fresh processes
    import       `import graphc` behind it
    graph        from there to the tensor tanh(x * 2 + 1)
    session      from there to a Session
    first        from there to its first result, kernels in the disk cache
    in all       the sum
    library      of that, loading the kernel library
    compile      a graph of 10,000 ops to a Plan: all elementwise, mixed, and layers with gradients and updates

Medians; a process of its own each, with byte code cached as in an installation. Seconds of the CPU (which a busy
machine does not change much) and of the clock, and the fastest by the clock.
"""
from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys

IMPORT = """
import time, json
found, before = {}, (time.process_time(), time.perf_counter())

def done(name):
    global before
    now = time.process_time(), time.perf_counter()
    found[name] = now[0] - before[0], now[1] - before[1]
    before = time.process_time(), time.perf_counter()

import numpy as np
done("numpy")
import graphc as gc
done("import")
x = gc.placeholder(gc.float32, [4])
y = gc.tanh(x * 2 + 1)
done("graph")
session = gc.Session()
done("session")
session.run(y, {x: np.ones(4, np.float32)})
done("first")
found["in all"] = tuple(map(sum, zip(*found.values())))
print(json.dumps(found))
"""

LIBRARY = """
import time, json
from graphc.exec import library
wall, cpu = time.perf_counter(), time.process_time()
library.load_library()
print(json.dumps({"library": (time.process_time() - cpu, time.perf_counter() - wall)}))
"""

COMPILE = """
import time, json
import numpy as np
import graphc as gc
from graphc.plan.compile import compile_graph

def elementwise():
    x = y = gc.placeholder(gc.float32, [None])
    w = gc.constant(np.ones(16, np.float32))
    for _ in range(5000):
        y = gc.tanh(y * w)
    return [y], [], [x]

def layers():
    x = h = gc.placeholder(gc.float32, [None, 8])
    graph = gc.get_default_graph()
    while len(graph.get_operations()) < 3400:
        h = gc.nn.relu(gc.matmul(h, gc.Variable(np.eye(8, dtype=np.float32))) + gc.Variable(np.zeros(8, np.float32)))
    loss = gc.reduce_mean(gc.square(h))
    step = gc.train.GradientDescentOptimizer(0.1).minimize(loss)
    return [loss], [step], [x]

def mixed():
    # Rows, products and 131 different fused programs.
    x = h = gc.placeholder(gc.float32, [None, 16])
    functions = [gc.tanh, gc.sigmoid, gc.exp, gc.square, gc.abs, gc.nn.relu, gc.sin, gc.sqrt]
    graph, count = gc.get_default_graph(), 0
    while len(graph.get_operations()) < 10000:
        h = functions[count // 8 % 8](functions[count % 8](h) * 0.5) + h
        h = h - gc.reduce_max(h, 1, keepdims=True)
        if count % 3 == 0:
            h = gc.matmul(h, gc.constant(np.eye(16, dtype=np.float32)))
        count += 1
    return [h], [], [x]

found = {}
for name, build in (("elementwise", elementwise), ("mixed", mixed), ("layers", layers)):
    with gc.Graph().as_default() as graph:
        wall, cpu = time.perf_counter(), time.process_time()
        fetches, targets, feeds = build()
        nodes = len(graph.get_operations())
        found[f"build {name} ({nodes} ops)"] = (time.process_time() - cpu, time.perf_counter() - wall)
        wall, cpu = time.perf_counter(), time.process_time()
        compile_graph(fetches, targets, feeds)
        found[f"compile {name} ({nodes} ops)"] = (time.process_time() - cpu, time.perf_counter() - wall)
print(json.dumps(found))
"""


def measure(code: str, rounds: int) -> dict[str, tuple[float, float, float]]:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    runs = [json.loads(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True,
                                      env=environment).stdout) for _ in range(rounds + 1)][1:]
    return {name: (statistics.median(r[name][0] for r in runs), statistics.median(r[name][1] for r in runs),
                   min(r[name][1] for r in runs)) for name in runs[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--start", action="store_true", help="without compiling large graphs")
    options = parser.parse_args()
    print(f"{'':34} {'CPU':>9} {'clock':>9} {'fastest':>9}")
    parts = [(IMPORT, options.rounds), (LIBRARY, options.rounds), *([] if options.start else [(COMPILE, 1)])]
    for code, repeats in parts:
        for name, (cpu, wall, fastest) in measure(code, repeats).items():
            print(f"{name:34} {cpu:7.3f} s {wall:7.3f} s {fastest:7.3f} s", flush=True)


if __name__ == "__main__":
    main()
