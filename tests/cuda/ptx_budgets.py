"""What ptxas makes of kernels: that it takes them, and registers, shared memory and spills against BUDGETS.

    python tests/cuda/ptx_budgets.py             whether there is a ptxas
    python tests/cuda/ptx_budgets.py FOLDER      assembles every .ptx there for all TARGETS (`make test-cuda`)
"""
from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TARGETS = ("sm_75", "sm_80", "sm_90a")


@dataclass(frozen=True)
class Used:
    """Of a kernel: registers of a thread, bytes of shared memory of a block, bytes of registers that went to memory."""

    registers: int
    shared: int = 0
    spilled: int = 0

    def within(self, budget: Used) -> bool:
        return (self.registers <= budget.registers and self.shared <= budget.shared
                and self.spilled <= budget.spilled)

    def most(self, other: Used) -> Used:
        return Used(max(self.registers, other.registers), max(self.shared, other.shared),
                    max(self.spilled, other.spilled))


# By the name of the kernel; OTHERS: of those not named. Two blocks of 256 threads a multiprocessor leave 128 registers
# a thread. Products take all of them, and ptxas for sm_90a up to 11 more where factors lie turned in memory: 80 bytes
# that go to memory and come back in a panel of 512 multiply-adds. A map's program may be of any length: losses,
# unrolled over eight elements, take 255. ptxas, which would rather have 128, or 64 for more blocks, moves up to four of
# some of them to memory and back, of a sum over two operands for sm_80 eight; so it does with loops over windows.
BUDGETS = {
    "gc_product": Used(128, 34816, spilled=96),
    "gc_tensor_product": Used(128, 49152, spilled=8),     # of 16-bit factors one of which lies turned, for sm_80
    "gc_map": Used(255, 16384, spilled=64),
    "gc_losses": Used(144, 1024, spilled=32),              # rows of 128 bytes a thread are in registers
    "gc_attention": Used(128, 34816, spilled=320),
    "gc_attention_dq": Used(128, 34816, spilled=400),
    "gc_attention_dkv": Used(255, 34816, spilled=32),
    "gc_tensor_attention": Used(255, 34816, spilled=96),
    "gc_warpgroup_product": Used(168),                     # its shared memory is the launch's
}
OTHERS = Used(128, 49152, spilled=32)

_KERNEL = re.compile(r"Compiling entry function '(\w+)'.*?(\d+) bytes spill stores, (\d+) bytes spill loads.*?"
                     r"Used (\d+) registers(?:[^\n]*?(\d+) bytes smem)?", re.S)


@cache
def find_ptxas() -> str | None:
    """The assembler: on the path, of CUDA's toolkit, or of the wheel nvidia-cuda-nvcc."""
    wheel = [str(p) for folder in sys.path for p in Path(folder).glob("nvidia/*/bin/ptxas")]
    places = [shutil.which("ptxas"), "/usr/local/cuda/bin/ptxas", *wheel]
    return next((place for place in places if place and Path(place).exists()), None)


def target_of(text: str) -> int:
    """The compute capability that a text is made for."""
    found = re.search(r"^\.target sm_(\d+)", text, re.M)
    assert found is not None
    return int(found.group(1))


def assemble(text: str, target: str) -> dict[str, Used]:
    """Kernels by name. Raises ValueError with what ptxas says if it refuses the text, or lets products of wgmma wait
    for each other."""
    ptxas = find_ptxas()
    assert ptxas is not None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kernel.ptx"
        file.write_text(text)
        done = subprocess.run([ptxas, f"-arch={target}", "-v", str(file), "-o", str(file.with_suffix(".cubin"))],
                              capture_output=True, text=True, check=False)
    if done.returncode or "Potential Performance Loss" in done.stderr:
        raise ValueError(f"ptxas for {target}: {done.stderr.strip()[:2000]}")
    found = {name: Used(int(registers), int(shared or 0), int(stores) + int(loads))
             for name, stores, loads, registers, shared in _KERNEL.findall(done.stderr)}
    assert found, done.stderr
    return found


@cache
def used_by(text: str, targets: tuple[str, ...] = TARGETS) -> list[tuple[str, str, Used]]:
    """(kernel, target, what it takes); targets that are too old for the text are left out."""
    return [(name, target, used) for target in targets if int(target.strip("sm_a")) >= target_of(text)
            for name, used in assemble(text, target).items()]


def over_budget(text: str, targets: tuple[str, ...] = TARGETS) -> list[str]:
    """What is wrong with a text's kernels, a line each."""
    try:
        found = used_by(text, targets)
    except ValueError as error:
        return [str(error)]
    return [f"{name} for {target} takes {used}, and may take {BUDGETS.get(name, OTHERS)}"
            for name, target, used in found if not used.within(BUDGETS.get(name, OTHERS))]


def main(folder: str) -> int:
    files = sorted(Path(folder).glob("*.ptx"))
    most: dict[tuple[str, str], Used] = {}

    def look(file: Path) -> list[str]:
        text = file.read_text()
        problems = over_budget(text)
        if not problems:
            for name, target, used in used_by(text):
                most[name, target] = most.get((name, target), used).most(used)
        return [f"{file.name}: {problem}" for problem in problems]

    with ThreadPoolExecutor(2) as pool:
        problems = [problem for found in pool.map(look, files) for problem in found]
    for (name, target), used in sorted(most.items()):
        print(f"{name:28} {target:7} at most {used}")
    print(f"{len(files)} texts, {len(problems)} problems", *problems, sep="\n")
    return int(bool(problems) or not files)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) > 1 else int(find_ptxas() is None))
