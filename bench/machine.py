"""What the figures of a benchmark hold for."""
from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import graphc as gc
from graphc.exec.library import load_library
from graphc.exec.machine_speed import machine_speed


def machine(threads: int) -> dict[str, Any]:
    """The processor, and what so many threads of it do at best (exec/machine_speed.py)."""
    speed = machine_speed(threads)
    model = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")] if Path("/proc/cpuinfo").exists() else []
    return {"processor": model[0] if model else platform.processor(), "cores": os.cpu_count(),
            "isa": load_library().isa, "threads": threads, "peak_f32": speed.f32, "bandwidth": speed.bandwidth,
            "system": platform.platform(),
            "python": platform.python_version(), "load": os.getloadavg()[0], "graphc": gc.__version__}
