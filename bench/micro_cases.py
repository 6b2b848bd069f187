"""What bench/micro.py times: the convolutions of four networks, products, maps. Needs nothing but Python."""
from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Convolution:
    """Pictures of size x size x c, filters of k x k. groups: 1, or c for a depthwise one. transposed: the filter
    spreads each point (U-Net's way up), so that the result is `stride` times as large."""

    net: str
    size: int
    c: int
    oc: int
    k: int = 3
    stride: int = 1
    groups: int = 1
    transposed: bool = False
    n: int = 1

    @property
    def pad(self) -> int:
        return 0 if self.transposed else self.k // 2

    @property
    def out(self) -> int:
        return self.size * self.stride if self.transposed else (self.size + 2 * self.pad - self.k) // self.stride + 1

    @property
    def flops(self) -> int:
        points = self.size if self.transposed else self.out
        return 2 * self.n * points * points * self.oc * (self.c // self.groups) * self.k * self.k

    @property
    def bytes(self) -> int:
        filters = self.oc * (self.c // self.groups) * self.k * self.k
        return 4 * (self.n * (self.size**2 * self.c + self.out**2 * self.oc) + filters)

    def __str__(self) -> str:
        form = f"/{self.stride}" if self.stride > 1 else ""
        form += " depthwise" if self.groups > 1 else " transposed" if self.transposed else ""
        return f"{self.c}->{self.oc} @{self.size} {self.k}x{self.k}{form}"


@dataclass(frozen=True)
class Product:
    """a (m x k) times b (k x n); form "abt": b is held transposed, "atb": a is, "atbt": both. batch: so many of both.
    constant: whether b is known beforehand."""

    m: int
    n: int
    k: int
    form: str
    batch: int = 1
    dtype: str = "float32"
    constant: bool = True

    @property
    def flops(self) -> int:
        return 2 * self.batch * self.m * self.n * self.k

    @property
    def bytes(self) -> int:
        size = 8 if self.dtype in ("float64", "int64") else 4
        return size * self.batch * (self.m * self.k + self.k * self.n + self.m * self.n)

    @property
    def transposed(self) -> tuple[bool, bool]:
        """Whether a, and b, are held transposed."""
        return "at" in self.form, "bt" in self.form

    def __str__(self) -> str:
        batch = f"{self.batch} x " if self.batch > 1 else ""
        return f"{batch}{self.m} x {self.n} x {self.k} {self.form}"


@dataclass(frozen=True)
class Map:
    """y = f(x) for float32 numbers, in memory that is there already; MAPS says what f is."""

    name: str
    size: int

    @property
    def flops(self) -> int:
        return MAPS[self.name][1] * self.size

    @property
    def bytes(self) -> int:
        return 4 * self.size * (3 if "w" in MAPS[self.name][0] else 2)

    def __str__(self) -> str:
        return f"{self.name} {self.size}"


Case = Convolution | Product | Map
# Of x (and w, as large), in words that every library has under these names, and how many operations it counts as.
MAPS = {
    "add": ("x + w", 1), "multiply": ("x * w", 1), "scale": ("x * 1.5 + 0.5", 2), "relu": ("relu(x)", 1),
    "divide": ("x / w", 1), "maximum": ("maximum(x, w)", 1), "abs": ("abs(x)", 1), "sqrt": ("sqrt(w)", 1),
    "exp": ("exp(x)", 1), "log": ("log(w)", 1), "tanh": ("tanh(x)", 1), "sigmoid": ("sigmoid(x)", 1),
    "sin": ("sin(x)", 1), "erf": ("erf(x)", 1), "power": ("pow(w, x)", 1),
    "gelu": ("x * 0.5 * (erf(x * 0.707) + 1.0)", 5),
    "swish": ("x * sigmoid(x)", 2), "softplus": ("log(exp(x) + 1.0)", 3), "residual": ("relu(x * 0.9 + w)", 3),
    "polynomial": ("((x * 0.1 + 0.2) * x + 0.3) * x + 0.4", 6),
}
MAP_SIZES = (1 << 14, 1 << 22)
PRODUCT_SIZES = ((256, 256, 256), (512, 512, 512), (1024, 1024, 1024), (128, 512, 784), (32, 512, 784), (1, 1024, 1024),
                 (4, 1000, 2048), (64, 10, 128), (1000, 1000, 1000), (3136, 64, 576), (96, 3072, 768), (2048, 64, 64))


def _resnet() -> Iterator[Convolution]:
    yield Convolution("ResNet-50", 224, 3, 64, 7, 2)
    c, size = 64, 56
    for stage, (inner, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for block in range(blocks):
            stride = 2 if block == 0 and stage else 1
            yield Convolution("ResNet-50", size, c, inner, 1)
            yield Convolution("ResNet-50", size, inner, inner, 3, stride)
            if block == 0:
                yield Convolution("ResNet-50", size, c, 4 * inner, 1, stride)
            size //= stride
            yield Convolution("ResNet-50", size, inner, 4 * inner, 1)
            c = 4 * inner


def _vgg() -> Iterator[Convolution]:
    c, size = 3, 224
    for oc, repeats in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(repeats):
            yield Convolution("VGG-16", size, c, oc)
            c = oc
        size //= 2


def _mobilenet() -> Iterator[Convolution]:
    yield Convolution("MobileNet-v2", 224, 3, 32, 3, 2)
    c, size = 32, 112
    for factor, oc, repeats, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                        (6, 160, 3, 2), (6, 320, 1, 1)):
        for repeat in range(repeats):
            wide, step = factor * c, stride if repeat == 0 else 1
            if factor > 1:
                yield Convolution("MobileNet-v2", size, c, wide, 1)
            yield Convolution("MobileNet-v2", size, wide, wide, 3, step, groups=wide)
            size //= step
            yield Convolution("MobileNet-v2", size, wide, oc, 1)
            c = oc
    yield Convolution("MobileNet-v2", size, c, 1280, 1)


def _unet() -> Iterator[Convolution]:
    widths, size = (64, 128, 256, 512, 1024), 256
    c = 3
    for oc in widths:
        yield Convolution("U-Net", size, c, oc)
        yield Convolution("U-Net", size, oc, oc)
        c, size = oc, size // 2
    size *= 2
    for oc in reversed(widths[:-1]):
        yield Convolution("U-Net", size, 2 * oc, oc, 2, 2, transposed=True)
        size *= 2
        yield Convolution("U-Net", size, 2 * oc, oc)
        yield Convolution("U-Net", size, oc, oc)


def cases(kind: str) -> list[Case]:
    """Of "convolutions" (each size of each network once), "products" or "maps"."""
    if kind == "convolutions":
        return list(dict.fromkeys([*_resnet(), *_vgg(), *_mobilenet(), *_unet()]))
    if kind == "products":
        return [Product(*size, form) for size in PRODUCT_SIZES for form in ("ab", "abt", "atb")]
    return [Map(name, size) for size in MAP_SIZES for name in MAPS]


KINDS = ("convolutions", "products", "maps")


def to_text(case: Case) -> str:
    return json.dumps([type(case).__name__, asdict(case)])


def from_text(text: str) -> Case:
    kind, fields = json.loads(text)
    return {"Convolution": Convolution, "Product": Product, "Map": Map}[kind](**fields)
