"""The build backend (PEP 517) of graphc-runtime: graphc's own, ../tools/wheels, of which it takes the C++ library."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "tools" / "wheels"))

from backend import build_wheel, get_requires_for_build_wheel
from setuptools.build_meta import (
    build_editable,
    get_requires_for_build_editable,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = ["build_editable", "build_sdist", "build_wheel", "get_requires_for_build_editable",
           "get_requires_for_build_wheel", "prepare_metadata_for_build_editable", "prepare_metadata_for_build_wheel"]


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    raise ValueError("graphc-runtime has no source distribution: its library is made of all of graphc's kernels. "
                     "Build a wheel in a checkout of graphc: python -m build -w runtime")
