"""Runners that were linked without the ways to compute something that their models' sizes never lead to: they give what
the whole one gives, whatever the sizes that are not known, and say so where another model's sizes lead there."""
from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import graphc as gc
from graphc.cli import main
from graphc.commands.needs import model_needs, needs_of, parts_left_out
from graphc.commands.runner import find_library
from graphc.kernels.toolchain.archive import read_archive
from graphc.kernels.toolchain.gate import read_symbols
from graphc.plan.compile import compile_graph

from files import build_runner

ISA = "x86-64-v3"
RNG = np.random.default_rng(7)


def numbers(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def convolution(c: int, taps: int, oc: int, stride: int = 1) -> Callable[[gc.Tensor], list[gc.Tensor]]:
    return lambda x: [gc.nn.conv2d(x, numbers(taps, taps, c, oc), stride, "SAME")]


def gradients(x: gc.Tensor) -> list[gc.Tensor]:
    w = gc.constant(numbers(3, 3, 5, 7))
    y = gc.nn.conv2d(x, w, 2, "SAME")
    return list(gc.gradients(gc.reduce_sum(y * y), [x, w]))


def products(x: gc.Tensor) -> list[gc.Tensor]:
    """With many columns, with few, turned, and of itself."""
    turned = gc.matmul(x, gc.tanh(gc.constant(numbers(30, 20)) * gc.reduce_sum(x)), transpose_b=True)
    return [gc.matmul(x, numbers(20, 90)), turned, gc.matmul(x, x, transpose_a=True)]


def of_itself(x: gc.Tensor) -> list[gc.Tensor]:
    """Rows and columns of the result are as many as are fed."""
    return [gc.matmul(x, x, transpose_b=True)]


def attention(x: gc.Tensor) -> list[gc.Tensor]:
    return [gc.matmul(gc.nn.softmax(gc.matmul(x, x, transpose_b=True) * 0.25), x)]


def reduced(x: gc.Tensor) -> list[gc.Tensor]:
    """Along rows, and down columns."""
    return [gc.reduce_sum(gc.exp(x), 1), gc.reduce_max(x, 0)]


def turned(x: gc.Tensor) -> list[gc.Tensor]:
    return [gc.transpose(x, (0, 2, 1)) * 2.0]


def streamed(x: gc.Tensor) -> list[gc.Tensor]:
    """Moved, and nothing else."""
    return [gc.concat([x, x[:, 3:17]], 1)]


def plain(x: gc.Tensor) -> list[gc.Tensor]:
    """With loads that stand still, and a broadcast."""
    return [gc.tanh(x) * numbers(20) + 1.0]


MODELS: dict[str, tuple[Callable[[gc.Tensor], list[gc.Tensor]], Sequence[int | None]]] = {
    "planes": (convolution(8, 5, 3), (None, 12, 12, 8)),
    "lines": (convolution(3, 5, 32), (None, 9, 11, 3)),
    "narrow": (convolution(3, 3, 6, 2), (None, 9, 9, 3)),
    "taps": (convolution(160, 3, 24, 2), (None, 7, 7, 160)),
    "pixels": (convolution(17, 1, 33), (None, 5, 5, 17)),
    "winograd": (convolution(32, 3, 32), (None, 8, 8, 32)),
    "any_size": (convolution(4, 3, 9), (None, None, None, 4)),
    "gradients": (gradients, (None, 10, 10, 5)),
    "products": (products, (None, 20)),
    "of_itself": (of_itself, (None, 20)),
    "attention": (attention, (2, None, 24)),
    "reduced": (reduced, (None, 20)),
    "turned": (turned, (2, None, 40)),
    "streamed": (streamed, (None, 40)),               # neither kernels nor scalar functions
    "plain": (plain, (None, 20)),
}
RUNTIME = "gc_part_runtime_"
NOT_FOLLOWED = ("attention",)          # too many cases


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ways")
    for name, (build, shape) in MODELS.items():
        with gc.Graph().as_default(), gc.Session() as session:
            x = gc.placeholder(gc.float32, shape, name="x")
            results = [gc.identity(y, name=f"y{i}") for i, y in enumerate(build(x))]
            gc.train.write_graph(gc.freeze(session, results), str(folder), f"{name}.pb", as_text=False)
    return folder


def run(program: Path, folder: Path, model: str, value: np.ndarray, out: str) -> subprocess.CompletedProcess[str]:
    np.save(folder / "x.npy", value)
    return subprocess.run([str(program), model, "--feed", "x=x.npy", "--out", out, "--isa", ISA], cwd=folder,
                          capture_output=True, text=True, timeout=100, check=False)


def archive_symbols() -> set[str]:
    return {name for member, data in read_archive(find_library(None).read_bytes()) if member.endswith(".o")
            for name in read_symbols(data).defined}


def test_what_is_left_out(folder: Path) -> None:
    """Of every model some ways of its kernels, but of those whose sizes cannot be followed; never the way that it is
    named after; of the runtime what its maps and steps have no use for."""
    symbols, isa = archive_symbols(), ISA.replace("-", "_")
    for name in MODELS:
        left_out = parts_left_out(model_needs(str(folder / f"{name}.pb")), symbols, [isa])
        ways = {symbol for symbol in symbols if f"_conv_f32_{name}" in symbol and symbol.endswith(isa)}
        assert not ways or ways - {*left_out}
        if model_needs(str(folder / f"{name}.pb"))[0].calls:
            assert any(RUNTIME not in symbol for symbol in left_out) is (name not in NOT_FOLLOWED)
        assert f"{RUNTIME}control_{isa}" in left_out and f"{RUNTIME}{name}_{isa}" not in left_out
        assert all(symbol in symbols and symbol.endswith(isa) for symbol in left_out)
    few, many = (len(parts_left_out(model_needs(str(folder / f"{name}.pb")), symbols, [isa]))
                 for name in ("any_size", "planes"))
    assert few < many


def test_which_operands_are_packed_beforehand() -> None:
    """Constants are, what is fed or computed is not, and variables may be written."""
    with gc.Graph().as_default():
        x, fed = gc.placeholder(gc.float32, [None, 20]), gc.placeholder(gc.float32, [20, 9])
        variable = gc.Variable(gc.zeros([20, 9]))
        for other, expected in ((gc.constant(numbers(20, 9)), (1, 1)), (fed, (0, 0)), (gc.exp(fed), (0, 0)),
                                (gc.reshape(gc.constant(numbers(9, 20)), [20, 9]), (1, 1)), (variable, (0, 1))):
            found = needs_of(compile_graph([gc.matmul(x, other)], feeds=[x, fed]).plan)
            assert [c.persistent for c in found.calls if c.kernel == "matmul.f32"] == [expected]


@pytest.mark.parametrize("name", MODELS)
def test_the_results_are_the_same(name: str, folder: Path, tmp_path: Path) -> None:
    build_runner()
    assert main(["runner", "--only-for", str(folder / f"{name}.pb"), "-o", str(tmp_path)]) == 0
    for unknown in (0, 1, 3, 17, 65):
        value = numbers(*(unknown if size is None else size for size in MODELS[name][1]))
        found = []
        for program in (tmp_path / "graphc-run", build_runner() / "graphc-run"):
            done = run(program, folder, f"{name}.pb", value, "y.npz")
            assert done.returncode == 0, done.stderr
            found.append((folder / "y.npz").read_bytes())
        assert found[0] == found[1], unknown


def test_a_way_that_was_left_out(folder: Path, tmp_path: Path) -> None:
    """Of a constant filter when it is packed, or of a tile."""
    assert main(["runner", "--only-for", str(folder / "planes.pb"), "-o", str(tmp_path)]) == 0
    for name in ("lines", "taps"):
        value = numbers(*(3 if size is None else size for size in MODELS[name][1]))
        done = run(tmp_path / "graphc-run", folder, f"{name}.pb", value, "y.npy")
        sizes = ", ".join(map(str, (*value.shape, *((5, 5, 32) if name == "lines" else (3, 3, 24)))))
        assert done.returncode == 1
        assert f"the way to compute it with the sizes and attributes [{sizes}, " in done.stderr
        assert " is not in this runner, which was made for planes.pb alone; `graphc runner --only-for`" in done.stderr
        assert "\n  in Conv2D '" in done.stderr and "test_ways_of_small_runners.py" in done.stderr


def test_maps_that_were_left_out(folder: Path, tmp_path: Path) -> None:
    """A transpose, which needs no function, where nothing turns."""
    assert main(["runner", "--only-for", str(folder / "plain.pb"), "-o", str(tmp_path)]) == 0
    with gc.Graph().as_default(), gc.Session() as session:
        x = gc.placeholder(gc.float32, (64, 80), name="x")
        y = gc.transpose(x, name="y")
        gc.train.write_graph(gc.freeze(session, [y]), str(folder), "transpose.pb", as_text=False)
    done = run(tmp_path / "graphc-run", folder, "transpose.pb", numbers(64, 80), "y.npy")
    assert done.returncode == 1
    assert "the way to compute it is not in this runner, which was made for plain.pb alone" in done.stderr
    assert "\n  in Transpose 'y'" in done.stderr and "test_ways_of_small_runners.py" in done.stderr
