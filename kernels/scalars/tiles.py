"""Loops over contiguous tiles, made as LLVM IR around a scalar function: numba cannot say what LLVM must know here.

`tile_loop(scalar)` calls the scalar once an element. Its loads and stores are declared free of dependences between
iterations, so that the loop is vectorised without a test for overlap and stays right where dst is one of the inputs.
The scalar also becomes a function of its own, `gc_scalar.<name>`, with a plain signature: the map JIT builds programs
from those.

`reduce_loop(operation)` combines a row, with 4 vectors of partial results of 64 bytes each and in a fixed order, the
same on every machine, so that neither speed nor the result needs reassociation, and several rows one after another; or
four lines, element by element.
"""
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .short_rows import TURNED, short_rows

I1, I8, I32, I64 = ir.IntType(1), ir.IntType(8), ir.IntType(32), ir.IntType(64)
VECTORS = 4
INTERLEAVE = 4      # vectors at a time: polynomials are chains, and LLVM would take one alone where they are long
ACCESS_GROUP = "llvm.access.group"
Joined = Callable[[ir.Value, ir.Value], ir.Value]


class _Distinct(ir.MDValue):
    """A metadata node that is not merged with equal ones, nor are those that refer to it; llvmlite has none."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def descr(self, buf: list[str]) -> None:
        buf += ["distinct !{ ", ", ".join(o.get_reference() for o in self.operands), " }\n"]


def _distinct(module: ir.Module) -> _Distinct:
    return _Distinct(module, [], name=str(len(module.metadata)))


def counted_loop(builder: ir.IRBuilder, count: ir.Value, body: Any, interleave: int = INTERLEAVE) -> None:
    """for i in range(count): body(i, access_group), its marked accesses independent of one another.
    interleave: vectors at a time."""
    module = builder.module
    group, identity = _distinct(module), _distinct(module)
    parallel = module.add_metadata([ir.MetaDataString(module, "llvm.loop.parallel_accesses"), group])
    interleaved = module.add_metadata([ir.MetaDataString(module, "llvm.loop.interleave.count"), I32(interleave)])
    identity.operands = (identity, parallel, interleaved)
    before = builder.block
    loop, after = builder.append_basic_block("loop"), builder.append_basic_block("after")
    builder.cbranch(builder.icmp_signed(">", count, I64(0)), loop, after)
    builder.position_at_end(loop)
    index = builder.phi(I64)
    index.add_incoming(I64(0), before)
    body(index, group)
    following = builder.add(index, I64(1), flags=["nuw", "nsw"])
    index.add_incoming(following, builder.block)
    branch = builder.cbranch(builder.icmp_signed("<", following, count), loop, after)
    branch.set_metadata("llvm.loop", identity)
    builder.position_at_end(after)


def scalar_symbol(name: str) -> str:
    return f"gc_scalar.{name}"


def _plain_function(context: Any, builder: Any, name: str, scalar: Any, signature: Any, result: Any) -> ir.Function:
    """Defines gc_scalar.<name>(values) -> value around numba's function."""
    compiled = scalar.dispatcher.get_compile_result(signature)
    context.active_code_library.add_linking_library(compiled.library)
    kinds = [context.get_value_type(t) for t in signature.args]
    plain = ir.Function(builder.module, ir.FunctionType(context.get_value_type(result), kinds), scalar_symbol(name))
    inner = ir.IRBuilder(plain.append_basic_block())
    _, value = context.call_internal_no_propagate(inner, compiled.fndesc, compiled.signature, plain.args)
    inner.ret(context.cast(inner, value, compiled.signature.return_type, result))
    return plain


def _emit_tile_loop(context: Any, builder: Any, name: str, scalar: Any, signature: Any, pointers: Any,
                    values: Any) -> None:
    *addresses, count = values
    result = pointers[0].dtype
    plain = _plain_function(context, builder, name, scalar, signature, result)

    def body(index: ir.Value, group: Any) -> None:
        arguments = []
        for pointer, kind in zip(addresses[1:], signature.args, strict=True):
            loaded = builder.load(builder.gep(pointer, [index]))
            loaded.set_metadata(ACCESS_GROUP, group)
            arguments.append(builder.icmp_unsigned("!=", loaded, I8(0)) if kind == types.boolean else loaded)
        value = builder.call(plain, arguments)
        stored = builder.zext(value, I8) if result == types.boolean else value
        builder.store(stored, builder.gep(addresses[0], [index])).set_metadata(ACCESS_GROUP, group)

    counted_loop(builder, count, body)


def tile_loop(name: str, scalar_function: Any, arity: int) -> Any:
    """The function (dst, a, ..., n) over typed pointers that stores scalar_function(a[i], ...) to dst[i]."""
    def build(typing_context: Any, pointers: tuple[Any, ...]) -> Any:
        scalar = typing_context.resolve_value_type(scalar_function)
        arguments = tuple(p.dtype for p in pointers[1:])
        signature = scalar.get_call_type(typing_context, arguments, {})

        def generate(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            _emit_tile_loop(context, builder, name, scalar, signature, pointers, values)
            return context.get_dummy_value()
        return types.void(*pointers, types.int64), generate

    if arity == 1:
        @intrinsic
        def loop_1(typing_context, dst, a, n):
            return build(typing_context, (dst, a))

        def tile_1(dst, a, n):
            loop_1(dst, a, n)
        return tile_1
    if arity == 2:
        @intrinsic
        def loop_2(typing_context, dst, a, b, n):
            return build(typing_context, (dst, a, b))

        def tile_2(dst, a, b, n):
            loop_2(dst, a, b, n)
        return tile_2
    if arity == 3:
        @intrinsic
        def loop_3(typing_context, dst, a, b, c, n):
            return build(typing_context, (dst, a, b, c))

        def tile_3(dst, a, b, c, n):
            loop_3(dst, a, b, c, n)
        return tile_3

    @intrinsic
    def loop_4(typing_context, dst, a, b, c, d, n):
        return build(typing_context, (dst, a, b, c, d))

    def tile_4(dst, a, b, c, d, n):
        loop_4(dst, a, b, c, d, n)
    return tile_4


def combine(builder: ir.IRBuilder, operation: str, x: ir.Value, y: ir.Value) -> ir.Value:
    """x operation y for scalars or vectors; max and min give NaN if either is NaN, and y if they are equal."""
    element = x.type.element if isinstance(x.type, ir.VectorType) else x.type
    floating = isinstance(element, ir.FloatType | ir.DoubleType)
    if operation in ("add", "mul"):
        return getattr(builder, f"f{operation}" if floating else operation)(x, y)
    if operation == "and":
        return builder.and_(x, y)
    if operation == "or":
        return builder.or_(x, y)
    relation = ">" if operation == "max" else "<"
    if not floating:
        return builder.select(builder.icmp_signed(relation, x, y), x, y)
    chosen = builder.select(builder.fcmp_ordered(relation, x, y), x, y)
    # x + x, which is NaN as well: of x LLVM would make one choice of two comparisons, which takes three times as long.
    return builder.select(builder.fcmp_unordered("uno", x, x), builder.fadd(x, x), chosen)


def reduce_loop(operation: str) -> Any:
    """The function (acc, src, b, c, d, n). b: 0, or b, c and d are addresses of as many elements as src has.

    If b is 0, acc[r] = acc[r] op (src[n r] op ... op src[n r + n - 1]) for c rows, at least one, of n elements; else
    acc[i] = acc[i] op ((src[i] op b[i]) op (c[i] op d[i])) for the n elements of each.
    """
    @intrinsic
    def loop(typing_context, acc, src, b, c, d, n):
        def generate(context, builder, signature, values):
            acc, src, *others, count = values
            with builder.if_else(builder.icmp_signed("==", others[0], I64(0))) as (row, lines):
                joined = functools.partial(combine, builder, operation)
                with row:
                    _emit_rows(builder, joined, acc, src, others[1], count)
                with lines:
                    _emit_lines(builder, joined, acc, src, others, count)
            return context.get_dummy_value()
        return types.void(acc, src, *[types.int64] * 4), generate

    def reduce(acc, src, b, c, d, n):
        loop(acc, src, b, c, d, n)
    return reduce


def _emit_rows(builder: ir.IRBuilder, joined: Joined, acc: ir.Value, src: ir.Value, rows: Any, count: Any) -> None:
    done = short_rows(builder, joined, acc, src, rows, count) if src.type.pointee in TURNED else I64(0)
    before, loop, after = builder.block, builder.append_basic_block("rows"), builder.append_basic_block("rows.done")
    builder.branch(loop)
    builder.position_at_end(loop)
    row = builder.phi(I64)
    row.add_incoming(done, before)
    target, source = builder.gep(acc, [row]), builder.gep(src, [builder.mul(row, count)])
    builder.store(_emit_reduce(builder, joined, builder.load(target), source, count), target)
    following = builder.add(row, I64(1))
    row.add_incoming(following, builder.block)
    builder.cbranch(builder.icmp_signed("<", following, rows), loop, after)
    builder.position_at_end(after)


def _emit_lines(builder: ir.IRBuilder, joined: Joined, acc: ir.Value, src: ir.Value, others: list[ir.Value],
                count: ir.Value) -> None:
    """Four lines are read at once: the sum stays in a register, and memory likes several streams."""
    sources = [src, *(builder.inttoptr(other, src.type) for other in others)]

    def body(index: ir.Value, group: Any) -> None:
        loads = [builder.load(builder.gep(pointer, [index])) for pointer in (*sources, acc)]
        for load in loads:
            load.set_metadata(ACCESS_GROUP, group)
        a, b, c, d, before = loads
        total = joined(joined(a, b), joined(c, d))
        stored = builder.store(joined(before, total), builder.gep(acc, [index]))
        stored.set_metadata(ACCESS_GROUP, group)

    counted_loop(builder, count, body, interleave=1)


def _bytes(kind: ir.Type) -> int:
    return {"float": 4, "double": 8, "i32": 4, "i64": 8, "i16": 2, "i8": 1}[str(kind)]


def _width(kind: ir.Type) -> int:
    return 64 // _bytes(kind)


def _emit_reduce(builder: ir.IRBuilder, joined: Joined, start: ir.Value, src: ir.Value, count: ir.Value) -> ir.Value:
    """start joined with all elements of src."""
    kind = src.type.pointee
    width = _width(kind)
    vector = ir.VectorType(kind, width)
    short = builder.icmp_signed("<", count, I64(width))
    entry = builder.block
    wide, tail = builder.append_basic_block("wide"), builder.append_basic_block("tail")
    builder.cbranch(short, tail, wide)
    builder.position_at_end(wide)
    sums, done = _reduce_blocks(builder, joined, src, count, vector)
    total = joined(start, _across(builder, joined, sums, width))
    wide_end = builder.block
    builder.branch(tail)
    builder.position_at_end(tail)
    value, position = builder.phi(kind), builder.phi(I64)
    value.add_incoming(start, entry)
    value.add_incoming(total, wide_end)
    position.add_incoming(I64(0), entry)
    position.add_incoming(done, wide_end)
    return _scalar_tail(builder, joined, src, position, count, value)


def _vector_load(builder: ir.IRBuilder, src: ir.Value, index: ir.Value, vector: ir.VectorType) -> ir.Value:
    where = builder.bitcast(builder.gep(src, [index]), vector.as_pointer())
    return builder.load(where, align=min(_bytes(vector.element), 4))


def _reduce_blocks(builder: ir.IRBuilder, joined: Joined, src: ir.Value, count: ir.Value,
                   vector: ir.VectorType) -> tuple[ir.Value, ir.Value]:
    """The vector of partial results of src[0 : count // width * width], count at least width; and where it ends.

    Vector k of the source goes to partial k % VECTORS as long as whole blocks last, then to the first.
    """
    width = vector.count
    first = _vector_load(builder, src, I64(0), vector)
    block = width * VECTORS
    enough = builder.icmp_signed(">=", count, I64(block))
    entry = builder.block
    many, rest = builder.append_basic_block("many"), builder.append_basic_block("rest")
    builder.cbranch(enough, many, rest)
    builder.position_at_end(many)
    initial = [first, *(_vector_load(builder, src, I64(width * k), vector) for k in range(1, VECTORS))]
    end, partials = _vector_loop(builder, joined, src, I64(block), count, vector, initial)
    pairs = [joined(partials[k], partials[k + 1]) for k in range(0, VECTORS, 2)]
    four = joined(pairs[0], pairs[1])
    many_end = builder.block
    builder.branch(rest)
    builder.position_at_end(rest)
    value, position = builder.phi(vector), builder.phi(I64)
    value.add_incoming(first, entry)
    value.add_incoming(four, many_end)
    position.add_incoming(I64(width), entry)
    position.add_incoming(end, many_end)
    end, partials = _vector_loop(builder, joined, src, position, count, vector, [value])
    return partials[0], end


def _vector_loop(builder: ir.IRBuilder, joined: Joined, src: ir.Value, begin: ir.Value, count: ir.Value,
                 vector: ir.VectorType, initial: list[ir.Value]) -> tuple[ir.Value, list[ir.Value]]:
    """Combines whole groups of len(initial) vectors from `begin` on;
    returns where it stopped and the partial results."""
    step = vector.count * len(initial)
    before = builder.block
    head = builder.append_basic_block("head")
    body, after = builder.append_basic_block("body"), builder.append_basic_block("done")
    builder.branch(head)
    builder.position_at_end(head)
    index = builder.phi(I64)
    partials = [builder.phi(vector) for _ in initial]
    index.add_incoming(begin, before)
    for partial, value in zip(partials, initial, strict=True):
        partial.add_incoming(value, before)
    builder.cbranch(builder.icmp_signed("<=", builder.add(index, I64(step)), count), body, after)
    builder.position_at_end(body)
    for k, partial in enumerate(partials):
        loaded = _vector_load(builder, src, builder.add(index, I64(k * vector.count)), vector)
        partial.add_incoming(joined(partial, loaded), body)
    index.add_incoming(builder.add(index, I64(step)), body)
    builder.branch(head)
    builder.position_at_end(after)
    return index, partials


def _across(builder: ir.IRBuilder, joined: Joined, value: ir.Value, width: int) -> ir.Value:
    """One value from a vector's lanes: halves are combined until one lane is left."""
    while width > 1:
        width //= 2
        kind = ir.VectorType(I32, width)
        low = builder.shuffle_vector(value, value, ir.Constant(kind, list(range(width))))
        high = builder.shuffle_vector(value, value, ir.Constant(kind, list(range(width, 2 * width))))
        value = joined(low, high)
    return builder.extract_element(value, I32(0))


def _scalar_tail(builder: ir.IRBuilder, joined: Joined, src: ir.Value, begin: ir.Value, count: ir.Value,
                 initial: ir.Value) -> ir.Value:
    before = builder.block
    head = builder.append_basic_block("tail.head")
    body, after = builder.append_basic_block("tail.body"), builder.append_basic_block("tail.done")
    builder.branch(head)
    builder.position_at_end(head)
    index, value = builder.phi(I64), builder.phi(initial.type)
    index.add_incoming(begin, before)
    value.add_incoming(initial, before)
    builder.cbranch(builder.icmp_signed("<", index, count), body, after)
    builder.position_at_end(body)
    loaded = builder.load(builder.gep(src, [index]))
    value.add_incoming(joined(value, loaded), body)
    index.add_incoming(builder.add(index, I64(1)), body)
    _keep_rolled(builder, builder.branch(head))
    builder.position_at_end(after)
    return value


def _keep_rolled(builder: ir.IRBuilder, branch: Any) -> None:
    """The loop that the branch goes back to has few iterations: unrolled it would be larger, not quicker."""
    module, identity = builder.module, _distinct(builder.module)
    identity.operands = (identity, module.add_metadata([ir.MetaDataString(module, "llvm.loop.unroll.disable")]))
    branch.set_metadata("llvm.loop", identity)


def scan_line(operation: str) -> Any:
    """The function (totals, source, target, n, exclusive): totals[i] = totals[i] op source[i], and target[i] = what it
    is then, or, if exclusive is not 0, was before. target may be source."""
    @intrinsic
    def scan(typing_context, totals, source, target, n, exclusive):
        def generate(context, builder, signature, values):
            totals, source, target, count, exclusive = values
            leaves_out = builder.icmp_signed("!=", exclusive, I64(0))

            def body(index: ir.Value, group: Any) -> None:
                total, value = (builder.load(builder.gep(p, [index])) for p in (totals, source))
                after = combine(builder, operation, total, value)
                stores = [builder.store(after, builder.gep(totals, [index])),
                          builder.store(builder.select(leaves_out, total, after), builder.gep(target, [index]))]
                for access in (total, value, *stores):
                    access.set_metadata(ACCESS_GROUP, group)

            counted_loop(builder, count, body, interleave=2)
            return context.get_dummy_value()
        return types.void(totals, source, target, types.int64, types.int64), generate
    return scan
