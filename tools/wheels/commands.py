"""setuptools' commands for wheels with machine code: build_py adds it to the package, bdist_wheel names the platform.
"""
from __future__ import annotations

import shutil
from pathlib import Path

import machine_code
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

target = ""                # of machine_code.TARGETS; "": no machine code (backend.py sets it)


class BuildPy(build_py):
    """graphc: the Python files, and beside them the kernels for sessions and the C++ library."""

    def run(self) -> None:
        if self.editable_mode:
            return super().run()
        # What an earlier build left there and the sources no longer have would be installed, too.
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        self.add_machine_code(Path(self.build_lib).resolve())
        return None

    def add_machine_code(self, folder: Path) -> None:
        if target:
            machine_code.build_kernels(target, folder / "graphc" / "kernels" / "prebuilt")
            machine_code.build_runner(target, folder / "graphc" / "_runner")


class BuildRuntime(BuildPy):
    """graphc-runtime: of the machine code, only the shared C++ library."""

    def add_machine_code(self, folder: Path) -> None:
        if not target:
            raise ValueError("graphc-runtime is nothing without its C++ library: build it without -C machine-code=no")
        machine_code.build_kernels(target)
        prefix = machine_code.build_runner(target)
        shutil.copy(prefix / "lib" / "libgraphc.so", folder / "graphc_runtime")


class BdistWheel(bdist_wheel):
    """For one platform and any Python: the machine code does not know which Python calls it."""

    def finalize_options(self) -> None:
        # Without this the package would be installed as one that is the same on all platforms.
        self.distribution.has_ext_modules = lambda: bool(target)
        super().finalize_options()

    def get_tag(self) -> tuple[str, str, str]:
        if not target:
            return "py3", "none", "any"
        package = Path(self.get_finalized_command("build_py").build_lib)
        return "py3", "none", machine_code.manylinux_tag(target, machine_code.binaries(package))
