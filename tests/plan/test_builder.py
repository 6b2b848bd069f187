"""Accesses, dims, maps and names that plan/builder.py writes."""
from __future__ import annotations

import pytest

from graphc.errors import InternalError, UnimplementedError
from graphc.ir import dims
from graphc.ir.access import Access, whole
from graphc.ir.dtypes import complex64, float32, int32, int64, resource, uint64
from graphc.kernels.contracts.all import KERNELS
from graphc.kernels.contracts.dtypes import DTYPES
from graphc.kernels.toolchain.registry import formula_words
from graphc.plan.builder import BodyBuilder
from graphc.plan.dim_table import DimTable, symbol_of
from graphc.plan.plan import Dim, DimKind, Map
from graphc.plan.plan_builder import PlanBuilder


def builder() -> BodyBuilder:
    owner = PlanBuilder()
    owner.begin_body()
    return BodyBuilder(owner, "test")


def test_access() -> None:
    x = whole(0, float32, (2, 3, 5))
    assert x.strides == (15, 5, 1) and x.is_contiguous
    assert x.transpose((2, 0, 1)) == Access(0, float32, (5, 2, 3), (1, 15, 5))
    assert x.slice((1, 0, 2), (1, 3, 2)) == Access(0, float32, (1, 3, 2), (15, 5, 1), 17)
    assert x.reverse((1,)) == Access(0, float32, (2, 3, 5), (15, -5, 1), 10)
    assert x.select(1, 2) == Access(0, float32, (2, 5), (15, 1), 10)
    assert x.part(2, 1, 3).shape == (2, 3, 3)
    assert x.expand(1).squeeze((1,)) == x
    assert whole(0, float32, (3, 1)).broadcast((2, 3, 4)).strides == (0, 1, 0)
    assert whole(0, float32, (4, 4)).diagonal(0, 1) == Access(0, float32, (4,), (5,))
    assert not x.transpose((1, 0, 2)).is_contiguous


def test_broadcast_of_a_size_that_may_be_one() -> None:
    n, m = dims.symbol("n"), dims.symbol("m")
    assert whole(0, float32, (n,)).broadcast((n,)).strides == (1,)
    (stride,) = whole(0, float32, (n,)).broadcast((m,)).strides
    assert str(stride) == "select(equal(1, n), 0, 1)"
    with pytest.raises(ValueError, match="does not broadcast"):
        whole(0, float32, (2, 3)).broadcast((3,))


def test_dims_are_written_once_and_in_order() -> None:
    table, n = DimTable(), dims.symbol("n")
    assert table.define_input(n, 0, 1)
    first = table.id(n * 2 + 3)
    assert table.id(3 + n + n) == first
    rows = table.rows()
    assert rows[0] == Dim(DimKind.INPUT, (0, 1))
    assert all(o < i for i, row in enumerate(rows) for o in row.operands if row.kind > DimKind.RUNTIME)


def test_runtime_dims_are_bound_once() -> None:
    table, n = DimTable(), dims.symbol("n")
    table.id(n)
    with pytest.raises(InternalError, match="makes these sizes known: n"):
        table.check_bound("main")
    table.runtime(n)
    table.check_bound("main")
    with pytest.raises(InternalError, match="bound already"):
        table.runtime(n)


def one_map(b: BodyBuilder) -> Map:
    (step,) = b.steps
    assert isinstance(step, Map)
    return step


def test_maps_merge_axes() -> None:
    b = builder()
    x, y = b.temporary(float32, (2, 3, 5)), b.temporary(float32, (2, 3, 5))
    b.map(lambda s, v: s("neg", v), [x], [y])
    assert [b.dims.rows()[d].value for d in one_map(b).domain] == [30]


def test_maps_keep_axes_that_do_not_merge() -> None:
    b = builder()
    x, y = b.temporary(float32, (3, 2, 1)), b.temporary(float32, (2, 3, 1))
    b.copy(x.transpose((1, 0, 2)), y)
    assert [b.dims.rows()[d].value for d in one_map(b).domain] == [2, 3]


def test_a_map_that_uses_an_index_keeps_its_axes() -> None:
    b = builder()
    y = b.temporary(int64, (2, 3))
    b.map(lambda s: s("add", s.index(0), s.index(1)), [], [y])
    assert len(one_map(b).domain) == 2


def test_programs_share_equal_values_and_drop_dead_ones() -> None:
    b = builder()
    x, y = b.temporary(float32, (3,)), b.temporary(float32, (3,))
    b.map(lambda s, u, v: (s("exp", v), s("add", s("neg", u), s("neg", u)))[1], [x, x], [y])
    ((program, _),) = b.plan._programs
    assert program.loads == ("f32",) and [i.op for i in program.instrs] == ["neg", "add"]


def test_reductions() -> None:
    b = builder()
    x, y = b.temporary(float32, (2, 3, 5)), b.temporary(float32, (3,))
    b.reduce("add", x, y, (0, 2))
    step = one_map(b)
    assert step.reduced == 2 and len(step.stores[0].strides) == 1


def test_kernel_inputs_are_made_contiguous() -> None:
    b = builder()
    x, y = b.temporary(float32, (3, 2)), b.temporary(float32, (2, 3))
    b.call("softmax", [x.transpose((1, 0)), y], [2, 3])
    assert [type(s).__name__ for s in b.steps] == ["Map", "Call"]
    with pytest.raises(InternalError, match="cannot write"):
        b.call("softmax", [x, y.transpose((1, 0))], [3, 2])


def test_unsupported_dtypes_are_errors() -> None:
    b = builder()
    x = b.temporary(resource, (3,))
    with pytest.raises(UnimplementedError, match="'neg' is not implemented for dtype resource"):
        b.map(lambda s, v: s("neg", v), [x], [x])
    for dtype in (complex64, uint64):
        x = b.temporary(dtype, (3,))
        with pytest.raises(UnimplementedError, match=f"'floor' is not implemented for dtype {dtype.name}"):
            b.map(lambda s, v: s("floor", v), [x], [x])


def test_many_sizes() -> None:
    b = builder()
    b.store_sizes(list(range(11)), b.temporary(int32, (11,)))
    assert [s.attrs for s in b.steps] == [(0, 8), (8, 3)]  # type: ignore[attr-defined]


def test_full_names() -> None:
    assert KERNELS["gather"].full_name(["f32", "i64", "f32"]) == "gather.f32.i64"
    assert KERNELS["matmul"].full_name(["f32", "f32", "f32"]) == "matmul.f32"
    assert KERNELS["state_mark"].full_name(["i64"]) == "state_mark"


@pytest.mark.parametrize("name", KERNELS)
def test_declarations_make_sense(name: str) -> None:
    """Every type variable is that of an operand; what is written stands last; formulas know their names."""
    kernel = KERNELS[name]
    assert all(set(choice) == set(kernel.variables) for choice in kernel.types)
    assert all(choice.get(o.dtype, o.dtype) in DTYPES for choice in kernel.types for o in kernel.operands)
    roles = [operand.role for operand in kernel.operands]
    assert roles == sorted(roles, key=lambda role: role != "in") and set(roles) <= {"in", "out", "inout"}
    for formula in (*(o.extent for o in kernel.operands), *kernel.relations, kernel.flops):
        formula_words(formula, kernel.dims, kernel.attrs)


def test_sizes_that_are_nested_deeply() -> None:
    """As those of a long program that halves and pads in turn: nothing here calls itself once a level."""
    levels = 5000
    n = dims.symbol("n")
    size = n
    for _ in range(levels):
        size = dims.floordiv(size + 3, 2)
    table = DimTable()
    assert table.define_input(n, 0, 0)
    number = table.id(size)
    assert number == len(table.rows()) - 1 and number > 2 * levels
    calls = [(i, row) for i, row in enumerate(table.rows()) if row.kind != DimKind.INPUT]
    assert all(operand < i for i, row in calls for operand in row.operands)
    symbol = symbol_of(n)
    assert symbol is not None and dims.nonnegative(size)
    assert dims.estimate(size, 9) == dims.substitute(size, {symbol: 9}) == 3
    assert str(size).count("floordiv") > 2 and len(str(size)) < 200
