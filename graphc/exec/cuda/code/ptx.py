"""LLVM text -> PTX, by llvmlite's own NVPTX back end: no CUDA toolkit, no numba. The text is kept in the disk cache.

One PTX text serves every GPU from compute capability 7.5 on (that of tensor cores: 8.0): the driver compiles it for the
one that is there. That of warpgroups (sm_90a) is for compute capability 9.0 and no other. Floating point is what the
CPU computes: nothing is contracted (the back end writes mul.rn and add.rn), nothing is flushed to zero, divisions and
square roots are rounded correctly.

A name of LLVM's NVPTX intrinsics that is misspelt becomes a function to be linked in: `gate` refuses those.
"""
from __future__ import annotations

import re
from functools import cache as kept
from typing import Any

from graphc import errors
from graphc.kernels.toolchain.compiling import COMPILING

TRIPLE = "nvptx64-nvidia-cuda"
VERSIONS = {75: "+ptx63", 80: "+ptx70", 90: "+ptx80"}      # of PTX, by compute capability
OLDEST_COMPUTE, TENSOR_COMPUTE, WARPGROUP_COMPUTE = VERSIONS
_EXTERN = re.compile(r"\.extern\s+\.(?:func|global)[^;]*;")
SPECIAL = ("tid.x", "ctaid.x", "ctaid.y", "ctaid.z", "ntid.x", "nctaid.x")
# What kernels are made of beside the scalars.
DECLARATIONS = "".join(f"declare i32 @llvm.nvvm.read.ptx.sreg.{name}()\n" for name in SPECIAL) + (
    "declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32) #0\n")
ATTRIBUTES = "attributes #0 = { convergent }\n"


def make_ptx(text: str, compute: int = OLDEST_COMPUTE) -> str:
    """PTX of an LLVM module's text, whose kernels are `ptx_kernel` functions; from the cache if it was made before.
    compute: what the text needs, one of VERSIONS."""
    from graphc.kernels.toolchain import cache
    key = f"ptx-{cache.hash_of(cache.tool_versions(), TRIPLE, str(compute), VERSIONS[compute], text)}.txt"
    made = cache.read_used(key)
    if made is None:
        with COMPILING:
            made = _compile(text, compute).encode()
        cache.write_few(key, made, "ptx-")
    return made.decode()


@kept
def _machine(compute: int) -> Any:
    import llvmlite.binding as llvm  # type: ignore[import-untyped]
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    cpu = f"sm_{compute}{'a' if compute == WARPGROUP_COMPUTE else ''}"
    return llvm.Target.from_triple(TRIPLE).create_target_machine(cpu=cpu, features=VERSIONS[compute], opt=3)


def _compile(text: str, compute: int) -> str:
    import llvmlite.binding as llvm
    machine = _machine(compute)
    module = llvm.parse_assembly(text)
    module.triple, module.data_layout = TRIPLE, str(machine.target_data)
    for function in module.functions:
        if not function.is_declaration and "ptx_kernel" not in str(function).split("{")[0]:
            function.linkage = "internal"
            function.add_function_attribute("alwaysinline")
    module.verify()
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = tuning.slp_vectorization = False
    passes = llvm.create_pass_builder(machine, tuning)
    passes.getModulePassManager().run(module, passes)
    manager = llvm.create_new_module_pass_manager()
    manager.add_global_dead_code_eliminate_pass()
    manager.run(module, passes)
    return gate(machine.emit_assembly(module))


def gate(ptx: str) -> str:
    """The text itself. Raises InternalError if it needs anything from outside."""
    found = _EXTERN.search(ptx)
    if found:
        raise errors.InternalError(f"PTX that refers to what is not in it: {' '.join(found.group(0).split())}")
    return ptx
