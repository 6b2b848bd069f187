"""A program with the library in place of libcuda, cuBLASLt and cuDNN:
`python tests/cuda/stand_in_program.py bench/gpu.py --tiny`."""
from __future__ import annotations

import runpy
import sys

from graphc.exec.cuda.code.ptx import WARPGROUP_COMPUTE

from stand_in_driver import driver_standing_in

if __name__ == "__main__":
    del sys.argv[0]
    with driver_standing_in(cublas=True, cudnn=True, compute=WARPGROUP_COMPUTE):
        runpy.run_path(sys.argv[0], run_name="__main__")
