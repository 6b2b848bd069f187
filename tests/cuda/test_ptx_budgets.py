"""ptxas takes kernels and stays within their budgets, where there is a ptxas (`make test-cuda` gets one, and assembles
all that the tests load)."""
from __future__ import annotations

from itertools import product

import pytest

from graphc.exec.cuda.calls.call import ProgramBuilder
from graphc.exec.cuda.code import (
    drawn,
    edges,
    fourier,
    fractional,
    matrices,
    pivots,
    reflections,
    rejection,
    suppression,
)
from graphc.exec.cuda.code.attention import attention, gradient_of_q, gradients_of_keys
from graphc.exec.cuda.code.attention_tile import Shape as Tiles
from graphc.exec.cuda.code.builder import KernelBuilder
from graphc.exec.cuda.code.ctc import ctc_loss
from graphc.exec.cuda.code.ctc_greedy import ctc_greedy
from graphc.exec.cuda.code.dropped import dropped
from graphc.exec.cuda.code.maps import kernel_text
from graphc.exec.cuda.code.products import Product, product_text
from graphc.exec.cuda.code.programs import LONG, Shape, unrolled
from graphc.exec.cuda.code.ptx import OLDEST_COMPUTE, TENSOR_COMPUTE, WARPGROUP_COMPUTE, make_ptx
from graphc.exec.cuda.code.tensor_attention import TensorAttention, tensor_attention
from graphc.exec.cuda.code.tensor_products import TensorProduct, tensor_product
from graphc.exec.cuda.code.truncated import truncated
from graphc.exec.cuda.code.warpgroup_products import STAGES, WarpgroupProduct, warpgroup_product
from graphc.exec.cuda.code.warpgroups import ELEMENTS
from graphc.exec.jit import scalar_functions
from graphc.exec.library import load_library
from graphc.kernels.scalars import SCALARS, Scalar
from graphc.plan.plan import Instr, Program

from on_both import EVERYTHING
from ptx.programs import text_of
from ptx_budgets import assemble, find_ptxas, over_budget

pytestmark = pytest.mark.skipif(find_ptxas() is None, reason="there is no ptxas")
SOME = ("exp.f32.f32", "lgamma.f64.f64", "igamma.f64.f64", "cast.f16.f32")
TRANSPOSED = list(product([False, True], repeat=2)) if EVERYTHING else [(True, False)]


def scalar_ptx(scalar: Scalar) -> str:
    """A scalar as a map."""
    program = Program(scalar.arguments, (Instr(scalar.op, scalar.result, tuple(range(len(scalar.arguments)))),),
                      (len(scalar.arguments),))
    return make_ptx("".join(map_text(program, -1)))


@pytest.mark.parametrize("scalar", [s for s in SCALARS if EVERYTHING or s.name in SOME], ids=lambda s: s.name)
def test_a_scalar_as_a_map(scalar: Scalar) -> None:
    assert over_budget(scalar_ptx(scalar)) == []


@pytest.mark.parametrize(("dtype", "each"), [("f32", 8), *product(("f32", "f64", "i32", "i64"), (4, 2))])
@pytest.mark.parametrize("transposed", TRANSPOSED)
@pytest.mark.parametrize("parts", [False, True] if EVERYTHING else [True])
def test_products(dtype: str, each: int, transposed: tuple[bool, bool], parts: bool) -> None:
    assert over_budget(make_ptx(product_text(Product(dtype, each, *transposed, parts)))) == []


@pytest.mark.parametrize("transposed", TRANSPOSED)
@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize("spaced", [False, True])
def test_products_16_bytes_at_a_time(transposed: tuple[bool, bool], windows: bool, spaced: bool) -> None:
    for dtype, each in (("f32", 8), ("f32", 4), ("f64", 4)):
        made = Product(dtype, each, *transposed, wide_a=True, wide_b=True, wide_c=True, windows=windows, spaced=spaced)
        assert over_budget(make_ptx(product_text(made))) == []


@pytest.mark.parametrize(("fragments", "wide"), [(4, True), (2, True), (2, False)])
@pytest.mark.parametrize("straight", TRANSPOSED)
@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize("rounded", [False, True] if EVERYTHING else [True])
@pytest.mark.parametrize("parts", [False, True] if EVERYTHING else [True])
def test_products_on_tensor_cores(fragments: int, wide: bool, straight: tuple[bool, bool], windows: bool,
                                  rounded: bool, parts: bool) -> None:
    if windows and straight[1]:
        return                             # no filter lies turned
    made = tensor_product(TensorProduct(fragments, *straight, wide, wide, wide, rounded, windows, parts=parts))
    assert over_budget(make_ptx(made.text(), TENSOR_COMPUTE)) == []


@pytest.mark.parametrize("fragments", [4, 2])
@pytest.mark.parametrize("straight", TRANSPOSED)
@pytest.mark.parametrize(("element", "result"), [("f16", "f16"), ("bf16", "bf16"), ("f16", "f32"), ("bf16", "f32")]
                         if EVERYTHING else [("bf16", "f32"), ("f16", "f16")])
def test_products_of_16_bit_floats(fragments: int, straight: tuple[bool, bool], element: str, result: str) -> None:
    for wide_c in (True, False) if EVERYTHING else (True,):
        made = tensor_product(TensorProduct(fragments, *straight, True, True, wide_c, False, element=element,
                                            result=result))
        assert over_budget(make_ptx(made.text(), TENSOR_COMPUTE)) == []


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_weights_that_are_dropped(dtype: str) -> None:
    assert over_budget(make_ptx(dropped(dtype).text())) == []


@pytest.mark.parametrize("columns", STAGES)
@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize("wide", [False, True])
def test_products_by_warpgroups(element: str, columns: int, wide: bool) -> None:
    for along in product([False, True], repeat=2) if ELEMENTS[element].both_ways and EVERYTHING else [(True, True)]:
        result = element if ELEMENTS[element].bytes == 2 else "f32"
        made = warpgroup_product(WarpgroupProduct(ELEMENTS[element], columns, *along, wide, result=result))
        assert over_budget(make_ptx(made.text(), WARPGROUP_COMPUTE)) == []


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize(("loads", "stores", "sums"), [(2, 1, 1), (10, 5, 2), (14, 1, 4), (5, 9, 1)])
def test_rows_of_many_operands_keep_them_in_registers(dtype: str, loads: int, stores: int, sums: int) -> None:
    b = ProgramBuilder(*[dtype] * (loads + 1))
    made = [b("add", dtype, 0, 1)]
    for number in range(max(loads, stores) - 1):
        made.append(b("mul", dtype, made[-1], number % loads))
    totals = [b("reduce.add", dtype, value) for value in made[-sums:]]
    program = b.program(*made[-stores:], *(b("add", dtype, total, loads) for total in totals))
    assert len(program.instrs) <= LONG and (unrolled(program, 1) == 8) == (loads == 2)
    assert over_budget(make_ptx("".join(map_text(program, 1)))) == []


def map_text(program: Program, inner: int) -> list[str]:
    text, primitives = kernel_text(program, Shape(1, inner))
    return [*scalar_functions(load_library(), primitives), text]


def text_with_scalars(kernel: KernelBuilder, compute: int = OLDEST_COMPUTE) -> str:
    return make_ptx("".join([*scalar_functions(load_library(), kernel.primitives), kernel.text()]), compute)


@pytest.mark.parametrize("shape", [("f32", 4, 4), ("f32", 4, 8), ("f32", 1, 8), ("f64", 2, 8)])
def test_attention(shape: tuple[str, int, int]) -> None:
    tiles = Tiles(*shape, masked=True)
    for kernel in (attention(tiles), attention(tiles, kept=True), gradient_of_q(tiles), gradients_of_keys(tiles)):
        assert over_budget(text_with_scalars(kernel)) == []


@pytest.mark.parametrize(("pieces", "bands", "keys"), [(8, 2, 32), (8, 1, 32), (16, 1, 16)])
@pytest.mark.parametrize("wide", [False, True])
def test_attention_on_tensor_cores(pieces: int, bands: int, keys: int, wide: bool) -> None:
    made = tensor_attention(TensorAttention(pieces, pieces, bands, keys, True, True, wide, wide))
    assert over_budget(text_with_scalars(made, TENSOR_COMPUTE)) == []


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_transforms_matrices_and_sequences(dtype: str) -> None:
    ends = fourier.Ends(dtype, takes=True, gives=True, narrow=True)
    for kernel in (fourier.step_of_four(ends), fourier.step_of_two(ends), fourier.step_of_odd(ends),
                   fourier.turn(ends),
                   matrices.cholesky_columns(dtype, True), matrices.substitution(dtype, 32, True, False, True),
                   pivots.lu_columns(dtype), pivots.lu_rows(dtype), pivots.lu_order(dtype), ctc_loss(dtype),
                   ctc_greedy(dtype), reflections.qr(dtype)):
        assert over_budget(text_with_scalars(kernel)) == [], kernel.name


@pytest.mark.parametrize(("sums", "stored"), [("f32", "f32"), ("f64", "f64"), ("f32", "bf16"), ("f32", "f16")])
@pytest.mark.parametrize("narrow", [False, True])
def test_edges_of_convolutions(sums: str, stored: str, narrow: bool) -> None:
    types = edges.Types(sums, stored, stored, stored)
    for kernel in (edges.results, edges.inputs, edges.filters):
        assert over_budget(text_with_scalars(kernel(types, narrow))) == []


def test_draws_and_suppressed_boxes() -> None:
    for kernel in (rejection.drawn("gamma"), rejection.drawn("poisson"), rejection.gamma_gradient(), truncated(),
                   suppression.suppress(True), suppression.suppress(False), suppression.suppress_class(),
                   suppression.best_of_classes(True)):
        assert over_budget(text_with_scalars(kernel)) == [], kernel.name


def test_fractional_pooling_and_drawn_boxes() -> None:
    for kernel in (fractional.edges(True), fractional.edges(False), fractional.refused_edges(),
                   fractional.largest("f32", True, places=True), fractional.mean("i64", False),
                   fractional.largest_gradient("f64", False), fractional.mean_gradient("f32", True),
                   drawn.glimpse(True, True, False), drawn.boxes(False)):
        assert over_budget(text_with_scalars(kernel)) == [], kernel.name


def test_what_takes_too_much_is_told() -> None:
    many = "".join(f"ld.volatile.global.b64 %rd{i}, [%rd40+{8 * i}];\n" for i in range(10, 30))
    many += "".join(f"st.volatile.global.b64 [%rd40+{8 * (40 - i)}], %rd{i};\n" for i in range(10, 30))
    text = text_of(many, 1, shared=49152)
    assert over_budget(text) == []
    assert all(used.spilled == 0 for used in assemble(text, "sm_80").values())
    few = text.replace(")\n{", ")\n.maxnreg 24\n{", 1)
    (line,) = over_budget(few, ("sm_80",))
    assert line.startswith("gc_test for sm_80 takes Used(registers=24, shared=49152, spilled=")


def test_products_of_wgmma_that_wait_for_each_other_are_told() -> None:
    """A loop that a single thread may leave, for one."""
    made = warpgroup_product(WarpgroupProduct(ELEMENTS["bf16"], 128, True, True, True))
    text = make_ptx(made.text(), WARPGROUP_COMPUTE)
    (line,) = over_budget(text.replace("wgmma.fence", "@%pw_again exit;\n wgmma.fence", 1))
    assert "wgmma.mma_async instructions are serialized" in line


def test_what_ptxas_refuses_is_told() -> None:
    (line,) = over_budget(text_of("add.u32 %r1, %r2, %rd3;", 0), ("sm_80",))
    assert "ptxas for sm_80" in line and "Arguments mismatch for instruction 'add'" in line
    assert not over_budget(text_of("", 0), ("sm_75",)), "a GPU that is too old for a text"
