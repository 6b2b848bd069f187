"""Loops over contiguous tiles, made as LLVM IR around a scalar function: numba cannot say what LLVM must know here.

`tile_loop(scalar)` calls the scalar once an element. Its loads and stores are declared free of dependences between
iterations, so that the loop is vectorised without a test for overlap and stays right where dst is one of the inputs.
The scalar also becomes a function of its own, `gc_scalar.<name>`, with a plain signature: the map JIT builds programs
from those.

`reduce_loop(operation)` keeps 4 vectors of partial results of 64 bytes each and combines them in a fixed order, the
same on every machine, so that neither speed nor the result needs reassociation.
"""
from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

I1, I8, I32, I64 = ir.IntType(1), ir.IntType(8), ir.IntType(32), ir.IntType(64)
VECTORS = 4
INTERLEAVE = 4      # vectors at a time: polynomials are chains, and LLVM would take one alone where they are long
ACCESS_GROUP = "llvm.access.group"


class _Distinct(ir.MDValue):
    """A metadata node that is not merged with equal ones, nor are those that refer to it; llvmlite has none."""

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def descr(self, buf: list[str]) -> None:
        buf += ["distinct !{ ", ", ".join(o.get_reference() for o in self.operands), " }\n"]


def _distinct(module: ir.Module) -> _Distinct:
    return _Distinct(module, [], name=str(len(module.metadata)))


def counted_loop(builder: ir.IRBuilder, count: ir.Value, body: Any) -> None:
    """for i in range(count): body(i, access_group), its marked accesses independent of one another."""
    module = builder.module
    group, identity = _distinct(module), _distinct(module)
    parallel = module.add_metadata([ir.MetaDataString(module, "llvm.loop.parallel_accesses"), group])
    interleaved = module.add_metadata([ir.MetaDataString(module, "llvm.loop.interleave.count"), I32(INTERLEAVE)])
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
    return builder.select(builder.fcmp_unordered("uno", x, x), x, chosen)


def reduce_loop(operation: str) -> Any:
    """The function (acc, src, n): acc[0] = acc[0] op (src[0] op ... op src[n - 1])."""
    @intrinsic
    def loop(typing_context, acc, src, n):
        def generate(context, builder, signature, values):
            _emit_reduce(builder, operation, *values)
            return context.get_dummy_value()
        return types.void(acc, src, types.int64), generate

    def reduce(acc, src, n):
        loop(acc, src, n)
    return reduce


def _width(kind: ir.Type) -> int:
    return 64 // {"float": 4, "double": 8, "i32": 4, "i64": 8, "i8": 1}[str(kind)]


def _emit_reduce(builder: ir.IRBuilder, operation: str, acc: ir.Value, src: ir.Value, count: ir.Value) -> None:
    kind = src.type.pointee
    width = _width(kind)
    vector = ir.VectorType(kind, width)
    short = builder.icmp_signed("<", count, I64(width))
    entry = builder.block
    start = builder.load(acc)
    wide, tail = builder.append_basic_block("wide"), builder.append_basic_block("tail")
    builder.cbranch(short, tail, wide)
    builder.position_at_end(wide)
    sums, done = _reduce_blocks(builder, operation, src, count, vector)
    total = combine(builder, operation, start, _across(builder, operation, sums, width))
    wide_end = builder.block
    builder.branch(tail)
    builder.position_at_end(tail)
    value, position = builder.phi(kind), builder.phi(I64)
    value.add_incoming(start, entry)
    value.add_incoming(total, wide_end)
    position.add_incoming(I64(0), entry)
    position.add_incoming(done, wide_end)
    builder.store(_scalar_tail(builder, operation, src, position, count, value), acc)


def _vector_load(builder: ir.IRBuilder, src: ir.Value, index: ir.Value, vector: ir.VectorType) -> ir.Value:
    where = builder.bitcast(builder.gep(src, [index]), vector.as_pointer())
    return builder.load(where, align=1 if vector.element == I8 else 4)


def _reduce_blocks(builder: ir.IRBuilder, operation: str, src: ir.Value, count: ir.Value,
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
    end, partials = _vector_loop(builder, operation, src, I64(block), count, vector, initial)
    pairs = [combine(builder, operation, partials[k], partials[k + 1]) for k in range(0, VECTORS, 2)]
    joined = combine(builder, operation, pairs[0], pairs[1])
    many_end = builder.block
    builder.branch(rest)
    builder.position_at_end(rest)
    value, position = builder.phi(vector), builder.phi(I64)
    value.add_incoming(first, entry)
    value.add_incoming(joined, many_end)
    position.add_incoming(I64(width), entry)
    position.add_incoming(end, many_end)
    end, partials = _vector_loop(builder, operation, src, position, count, vector, [value])
    return partials[0], end


def _vector_loop(builder: ir.IRBuilder, operation: str, src: ir.Value, begin: ir.Value, count: ir.Value,
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
        partial.add_incoming(combine(builder, operation, partial, loaded), body)
    index.add_incoming(builder.add(index, I64(step)), body)
    builder.branch(head)
    builder.position_at_end(after)
    return index, partials


def _across(builder: ir.IRBuilder, operation: str, value: ir.Value, width: int) -> ir.Value:
    """One value from a vector's lanes: halves are combined until one lane is left."""
    while width > 1:
        width //= 2
        kind = ir.VectorType(I32, width)
        low = builder.shuffle_vector(value, value, ir.Constant(kind, list(range(width))))
        high = builder.shuffle_vector(value, value, ir.Constant(kind, list(range(width, 2 * width))))
        value = combine(builder, operation, low, high)
    return builder.extract_element(value, I32(0))


def _scalar_tail(builder: ir.IRBuilder, operation: str, src: ir.Value, begin: ir.Value, count: ir.Value,
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
    value.add_incoming(combine(builder, operation, value, loaded), body)
    index.add_incoming(builder.add(index, I64(1)), body)
    builder.branch(head)
    builder.position_at_end(after)
    return value


