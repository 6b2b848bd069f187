"""The front end: what one unit becomes, and what of numba it does otherwise."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PRELUDE = """
import llvmlite.binding as llvm
from numba import njit, types
from graphc.kernels.toolchain import frontend as f
f.prepare()

def functions(*adapters):
    module = llvm.parse_bitcode(f.compile_module("m", adapters))
    return [function.name for function in module.functions if not function.is_declaration]

def entry(function, name="gc_f", isa=""):
    return f.Adapter(name, "entry", function, types=(types.int64,), result=types.int64, isa=isa)
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parents[2])
    environment = dict(os.environ, PYTHONPATH=root, NUMBA_OPT="0", NUMBA_LOOP_VECTORIZE="0", NUMBA_SLP_VECTORIZE="0")
    return subprocess.run([sys.executable, "-c", PRELUDE + code], capture_output=True, text=True, check=False,
                          env=environment)


def test_a_helper_is_compiled_once_for_all_literals_and_for_all_isas() -> None:
    done = run("""
@njit
def helper(x, k):
    return x * k + 1

def common(x):
    return helper(x, 3) + helper(x, 4)

def tuned(x):
    return helper(x, 5)

found = functions(entry(common), entry(tuned, isa="x86_64_v4"))
assert sum("helper" in name for name in found) == 1, found
assert {"gc_f", "gc_f.x86_64_v4"} <= set(found), found
""")
    assert done.returncode == 0, done.stderr


def test_a_helper_that_needs_its_literal_gets_it() -> None:
    done = run("""
from numba.extending import intrinsic

@intrinsic(prefer_literal=True)
def twice(typing_context, x):
    if not isinstance(x, types.IntegerLiteral):
        return None
    def generate(context, builder, signature, values):
        return context.get_constant(types.int64, 2 * x.literal_value)
    return types.int64(x), generate

@njit
def helper(x):
    return twice(x)

def kernel(x):
    return helper(3) + helper(4) + x

found = functions(entry(kernel))
assert sum("helper" in name for name in found) == 2, found
""")
    assert done.returncode == 0, done.stderr


def test_what_no_helper_can_do_is_said() -> None:
    done = run("""
@njit
def helper(x, k):
    return x.nonsense + k

def kernel(x):
    return helper(x, 3)

functions(entry(kernel))
""")
    assert "FrontEndError: gc_f" in done.stderr and "nonsense" in done.stderr


def test_fastmath_is_refused() -> None:
    done = run("""
@njit(fastmath=True)
def kernel(x):
    return x

functions(entry(kernel))
""")
    assert "FrontEndError: __main__.kernel must not ask for fastmath" in done.stderr
