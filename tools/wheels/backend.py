"""The build backend (PEP 517): setuptools', whose wheels bring the machine code for one kind of processor.

    python -m build                               an sdist, and from it a wheel for this machine
    python -m build -w -C target=aarch64          a wheel for another machine, by a cross compiler
    pip wheel . -C machine-code=no                Python alone: the kernel library is compiled when it is first used
    pip install -e .                              a checkout to be edited: its kernel library is compiled into the cache

Only wheels need compilers of C++ (docs/adr/0033 and 0038).
"""
from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import commands
from machine_code import HERE, ROOT, TARGETS, compile_for_sessions
from setuptools import build_meta
from setuptools.build_meta import (
    build_sdist,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = ["build_editable", "build_sdist", "build_wheel", "get_requires_for_build_editable",
           "get_requires_for_build_sdist", "get_requires_for_build_wheel", "prepare_metadata_for_build_editable",
           "prepare_metadata_for_build_wheel"]

Settings = Mapping[str, Any] | None
COMPILERS = ("numpy", "numba", "llvmlite")        # of graphc's own dependencies


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    needed: list[str] = list(build_meta.get_requires_for_build_wheel(None))
    return [*needed, *_compilers(), "cmake>=3.24", "ninja"] if _target(config_settings) else needed


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    needed: list[str] = list(build_meta.get_requires_for_build_editable(None))
    return [*needed, *_compilers()] if _target(config_settings) else needed


def build_editable(wheel_directory: str, config_settings: Settings = None,
                   metadata_directory: str | None = None) -> str:
    _link_kernels()
    if _target(config_settings):
        compile_for_sessions()
    name: str = build_meta.build_editable(wheel_directory, None, metadata_directory)
    return name


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    _link_kernels()
    commands.target = _target(config_settings)
    name: str = build_meta.build_wheel(wheel_directory, None, metadata_directory)
    return name


def _link_kernels() -> None:
    """graphc/kernels is a link to kernels/, by which setuptools finds its packages; an unpacked sdist has no links."""
    link = ROOT / "graphc" / "kernels"
    if (ROOT / "kernels").is_dir() and not link.exists():
        link.symlink_to("../kernels")


def _compilers() -> list[str]:
    """What compiles kernels, in the versions that graphc asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [line for line in project["dependencies"] if line.startswith(COMPILERS)]


def _target(settings: Settings) -> str:
    """The machine that the wheel's machine code is for; "" if it is to have none. Raises ValueError."""
    given = dict(settings or {})
    target, wanted = given.pop("target", HERE), given.pop("machine-code", "yes")
    if given or wanted not in ("yes", "no") or (wanted == "yes" and target not in TARGETS):
        raise ValueError(f"graphc's wheels are built with -C target=({'|'.join(TARGETS)}) or -C machine-code=no, not "
                         f"with {dict(settings or {}) or f'a machine called {HERE}'}")
    return target if wanted == "yes" else ""
