"""Whether the real cuDNN takes what graphc describes, which needs no GPU:

    python tests/cuda/real_cudnn.py .../nvidia/cudnn/lib/libcudnn.so.9

Random convolutions of all kinds, layouts and types are described to the library, which must count the windows as graphc
does. Without a GPU it cannot make a handle, so nothing is computed.
"""
from __future__ import annotations

import ctypes
import itertools
import random
import sys

from graphc.exec.cuda.vendor.cudnn import SIGNATURES, Cudnn, Description, Kind, Layout, Problem
from graphc.exec.cuda.vendor.functions import Functions, LibraryError

CASES = 1200


def problem(kind: Kind, dtype: str, draw: random.Random) -> Problem | None:
    """None: its windows do not fit into the picture."""
    n, h, w, groups, c, kh, kw, oc = (draw.randint(1, 9) for _ in range(8))
    pads, strides, dilations = ((draw.randint(low, 3), draw.randint(low, 3)) for low in (0, 1, 1))
    rooms = [size + 2 * pad - (taps - 1) * dilation - 1
             for size, pad, taps, dilation in zip((h, w), pads, (kh, kw), dilations, strict=True)]
    if min(rooms) < 0:
        return None
    oh, ow = (room // stride + 1 for room, stride in zip(rooms, strides, strict=True))
    return Problem(kind, dtype, n, h, w, groups, c, kh, kw, oc, oh, ow, pads, strides, dilations, False)


def main(path: str) -> None:
    library = ctypes.CDLL(path)
    described = Functions(library, path, SIGNATURES, "cudnnGetErrorString")
    library.cudnnGetVersion.restype = ctypes.c_size_t
    draw, count = random.Random(0), 0
    for _ in range(CASES):
        for kind, layout, dtype in itertools.product(Kind, Layout, ("f32", "f64", "f16", "bf16")):
            made = problem(kind, dtype, draw)
            if made is not None:
                Description(described, made, layout)       # which looks at the windows
                count += 1
    print(f"cuDNN {library.cudnnGetVersion()} at {path}: {count} convolutions described, windows counted alike")
    try:
        Cudnn(library, path, 0, 10 ** 6)
        print("it has a GPU: make gpu asks it more")
    except LibraryError as error:
        print(f"without a GPU: {error}")


if __name__ == "__main__":
    main(sys.argv[1])
