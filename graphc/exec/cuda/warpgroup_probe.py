"""Whether products by warpgroups work on a GPU at all, asked in a process of its own: a kernel that goes wrong may lose
the GPU's state, and what asked would have to end.

    python -m graphc.exec.cuda.warpgroup_probe [ELEMENT ...] NUMBER      of the GPU; without elements: all

multiplies matrices whose products' sums are exact, by every kernel, and ends with 1 and a line that says what is wrong.
"""
from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

import numpy as np

from graphc import errors
from graphc.exec.cuda.calls.call import Call, Products
from graphc.exec.cuda.calls.convolutions import Convolution
from graphc.exec.cuda.calls.products import Factors
from graphc.exec.cuda.calls.warpgroup_convolutions import seen
from graphc.exec.cuda.calls.warpgroup_convolutions import work as convolved
from graphc.exec.cuda.calls.warpgroups import Variant, work
from graphc.exec.cuda.calls.windows import Windows
from graphc.exec.cuda.code.warpgroup_products import STAGES
from graphc.exec.cuda.code.warpgroups import ELEMENTS
from graphc.exec.cuda.driver import Device, find_devices
from graphc.exec.cuda.memory import Block
from graphc.exec.cuda.vendor.cudnn import Kind
from graphc.exec.library import load_library
from graphc.kernels.toolchain import cache

COMMAND = (sys.executable, "-m", "graphc.exec.cuda.warpgroup_probe")
SECONDS = 120              # until which it must have ended
# Its status where the GPU has no memory for it, or lets no other process use it: that tells nothing of the kernels.
NOT_ASKED = 3
KIND = "warpgroup-probe-"
SIZES = (150, 300, 332)    # m, n, k: several tiles, none of them whole, and more panels than a ring has stages
HALF_SIZES = (152, 304, 328)           # the same of factors that are 16-bit floats in memory
KINDS = {"f16": Products.EXACT_F16, "bf16": Products.EXACT_BF16, "tf32": Products.ROUNDED}


def complaint(device: Device) -> str:
    """What is wrong with them on that GPU, "" if nothing is. Asked once for a GPU, its driver and a version of graphc;
    what was said of kernels is kept on disk."""
    from graphc import __version__

    about = (__version__, device.name, device.compute, device.driver_version)
    key = f"{KIND}{cache.hash_of(*map(str, about))}.json"
    stored = cache.read_used(key)
    if stored is not None:
        return str(json.loads(stored))
    said, is_kept = _asked(device.number)
    if is_kept:
        cache.write_few(key, json.dumps(said).encode(), KIND)
    return said


def _asked(number: int) -> tuple[str, bool]:
    """(what is wrong, whether that would be said next time, too)"""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path)))
    try:
        done = subprocess.run([*COMMAND, str(number)], capture_output=True, text=True, timeout=SECONDS, check=False,
                              env=environment)
    except subprocess.TimeoutExpired:
        return f"no end after {SECONDS} s", True
    except OSError as error:
        return f"{COMMAND[0]} cannot be run: {error}", False
    if not done.returncode:
        return "", True
    said = (done.stdout + done.stderr).strip().splitlines()
    return (f"a test ended with {done.returncode}: {said[-1] if said else 'nothing was said'}",
            done.returncode != NOT_ASKED)


def _variants(elements: Sequence[str]) -> Iterator[tuple[Variant, tuple[bool, bool], bool]]:
    """Every kernel, how factors lie, and whether they and the result are 16-bit floats in memory."""
    for element, columns in itertools.product(elements, STAGES):
        for turned in ((False, False), (True, True)) if ELEMENTS[element].both_ways else ((False, True),):
            yield Variant(element, columns), turned, False
            if ELEMENTS[element].bytes == 2:
                yield Variant(element, columns), turned, True
    yield Variant(elements[0], min(STAGES), 2), (False, True), False


def _as_halves(x: np.ndarray, element: str) -> np.ndarray:
    """The nearest 16-bit floats, as their bits: NumPy may have no bfloat16."""
    if element == "f16":
        return x.astype(np.float16).view(np.uint16)
    bits = x.view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def _is_right(device: Device, variant: Variant, turned: tuple[bool, bool], halves: bool) -> bool:
    m, n, k = HALF_SIZES if halves else SIZES
    generator, kept = np.random.default_rng(0), []  # type: np.random.Generator, list[Block]

    def room(count: int) -> int:
        kept.append(Block(device, count))
        return kept[-1].address

    shapes = ((k, m) if turned[0] else (m, k), (n, k) if turned[1] else (k, n))
    a, b = (generator.integers(-16, 17, shape).astype(np.float32) / 16 for shape in shapes)
    wanted = (a.T if turned[0] else a) @ (b.T if turned[1] else b)
    if halves:
        a, b, wanted = (_as_halves(x, variant.element) for x in (a, b, wanted))
    found = np.empty_like(wanted)
    a_at, b_at, c_at = (room(array.nbytes) for array in (a, b, found))
    for place, array in ((a_at, a), (b_at, b)):
        device.upload(place, array.ctypes.data, array.nbytes)
    call = Call(("f32",), (), (), (), load_library(), room, lambda stored: 0, products=KINDS[variant.element])
    stored = variant.element if halves else ""
    factors = Factors("f32", 1, m, n, k, m * k, k * n, *turned, element=stored, result=stored)
    for step in work(call, factors, variant, a_at, b_at, c_at, is_trial=True):
        step.prepare(device)
        step.submit(device)
    device.download(found.ctypes.data, c_at, found.nbytes)
    device.wait()
    return bool((found == wanted).all())


def _is_convolution_right(device: Device, kind: Kind, element: str, columns: int) -> bool:
    """Of one picture that is 1 everywhere, filters likewise: a result is how many products it has, which the corners
    have fewer of. Sums of the filter's gradient are those of the pixels that a tap sees."""
    n, h, w, c, oc, taps = 3, 9, 11, 72, 136, (3, 3)
    windows = Windows(*taps, h, w)
    v = Convolution(n, h, w, 1, c, windows, oc, 1, 1)
    kept: list[Block] = []

    def room(count: int) -> int:
        kept.append(Block(device, count))
        return kept[-1].address

    seen_by_tap = [h - 1, h, h - 1], [w - 1, w, w - 1]
    x, y, f = (n, h, w, c), (n, h, w, oc), (*taps, c, oc)
    rows, cols = ([2.0, *[3.0] * (size - 2), 2.0] for size in (h, w))
    counts = np.multiply.outer(rows, cols)[None, :, :, None]
    first, second, out, wanted = {
        Kind.FORWARD: (x, f, y, np.broadcast_to(counts * c, y)), Kind.INPUT: (y, f, x, np.broadcast_to(counts * oc, x)),
        Kind.FILTER: (x, y, f, np.broadcast_to(n * np.multiply.outer(*seen_by_tap)[:, :, None, None], f))}[kind]
    given = [_as_halves(np.ones(shape, np.float32), element) for shape in (first, second)]
    found = np.empty(out, np.float32)
    places = [room(array.nbytes) for array in (*given, found)]
    for place, array in zip(places, given, strict=False):
        device.upload(place, array.ctypes.data, array.nbytes)
    call = Call(("f32",), (), (), (), load_library(), room, lambda facts: 0, products=KINDS[element],
                stored=(element, element, "f32"))
    what = seen(call, kind, v)
    assert what is not None
    a, b, c = places
    for step in convolved(call, what, Variant(element, columns), a, b, c, is_trial=True):
        step.prepare(device)
        step.submit(device)
    device.download(found.ctypes.data, places[2], found.nbytes)
    device.wait()
    return bool((found == wanted).all())


def main(*arguments: str) -> int:
    *elements, number = arguments
    try:
        device = find_devices()[int(number)]
        device.enter()
    except errors.OpError as error:
        print(error)
        return NOT_ASKED
    try:
        for variant, turned, halves in _variants(elements or [*ELEMENTS]):
            if not _is_right(device, variant, turned, halves):
                print(f"{variant.name}, transposed {turned}{', 16 bits in memory' * halves}: the product is wrong")
                return 1
        for kind, element, columns in itertools.product(Kind, elements or [*ELEMENTS], STAGES):
            if ELEMENTS[element].bytes == 2 and not _is_convolution_right(device, kind, element, columns):
                print(f"{Variant(element, columns).name}, of windows, {kind.name}: the result is wrong")
                return 1
    except errors.ResourceExhaustedError as error:
        print(error)
        return NOT_ASKED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
