"""Where in a row its greatest or least element stands: each lane keeps its best and the vector it was in, so that a row
is read once and nothing is searched for; of equal ones the first wins. What is left of a row is one masked vector.
"""
from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

I32, I64 = ir.IntType(32), ir.IntType(64)
PARTS = 4                              # vectors at a time, each with its own best: a comparison waits for the last one
MOST = 1 << 30                         # elements of a row: places are int32

Best = tuple[ir.Value, ir.Value]       # of each lane: the best element, and its place


class _Places:
    """Builds the code for one row."""

    def __init__(self, builder: ir.IRBuilder, row: ir.Value, relation: str, worst: ir.Value) -> None:
        self.builder, self.row, self.relation = builder, row, relation
        self.size = 4 if isinstance(row.type.pointee, ir.FloatType) else 8
        self.lanes = 64 // self.size
        self.vector, self.places = ir.VectorType(row.type.pointee, self.lanes), ir.VectorType(I32, self.lanes)
        self.worst = self.splat(worst, self.vector)
        self.lane_numbers = ir.Constant(self.places, list(range(self.lanes)))

    def splat(self, value: ir.Value, vector: ir.VectorType) -> ir.Value:
        one = self.builder.insert_element(ir.Constant(vector, ir.Undefined), value, I32(0))
        return self.builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(I32, self.lanes), [0] * self.lanes))

    def place(self, index: ir.Value) -> ir.Value:
        return self.builder.bitcast(self.builder.gep(self.row, [index]), self.vector.as_pointer())

    def numbered(self, index: ir.Value) -> ir.Value:
        """The vector's places, less those of lanes: these are added at the end."""
        return self.splat(self.builder.trunc(index, I32), self.places)

    def better(self, best: Best, other: Best) -> Best:
        """What comes later must be better."""
        wins = self.builder.fcmp_ordered(self.relation, other[0], best[0])
        return self.builder.select(wins, other[0], best[0]), self.builder.select(wins, other[1], best[1])

    def first_of(self, one: Best, two: Best) -> Best:
        """Of equal ones that which stands first."""
        builder = self.builder
        equal = builder.and_(builder.fcmp_ordered("==", two[0], one[0]), builder.icmp_signed("<", two[1], one[1]))
        wins = builder.or_(builder.fcmp_ordered(self.relation, two[0], one[0]), equal)
        return builder.select(wins, two[0], one[0]), builder.select(wins, two[1], one[1])

    def loop(self, begin: ir.Value, count: ir.Value, bests: list[Best]) -> tuple[ir.Value, list[Best]]:
        """Whole groups of len(bests) vectors from `begin` on; where it stopped."""
        builder, step = self.builder, self.lanes * len(bests)
        before, head = builder.block, builder.append_basic_block("head")
        body, after = builder.append_basic_block("body"), builder.append_basic_block("done")
        builder.branch(head)
        builder.position_at_end(head)
        index = builder.phi(I64)
        index.add_incoming(begin, before)
        kept = [(builder.phi(self.vector), builder.phi(self.places)) for _ in bests]
        following = builder.add(index, I64(step))
        builder.cbranch(builder.icmp_signed("<=", following, count), body, after)
        builder.position_at_end(body)
        number = self.numbered(index)
        for k, (best, start) in enumerate(zip(kept, bests, strict=True)):
            loaded = builder.load(self.place(builder.add(index, I64(k * self.lanes))), align=self.size)
            for phi, first, new in zip(best, start, self.better(best, (loaded, number)), strict=True):
                phi.add_incoming(first, before)
                phi.add_incoming(new, body)
        index.add_incoming(following, body)
        builder.branch(head)
        builder.position_at_end(after)
        return index, kept

    def rest(self, begin: ir.Value, count: ir.Value) -> Best:
        """The elements from `begin` on, fewer than a vector: the other lanes are the worst."""
        builder = self.builder
        left = self.splat(builder.trunc(builder.sub(count, begin), I32), self.places)
        mask = builder.icmp_signed("<", self.lane_numbers, left)
        name = f"llvm.masked.load.v{self.lanes}f{8 * self.size}.p0"
        load = cgutils.get_or_insert_function(builder.module, ir.FunctionType(
            self.vector, [self.vector.as_pointer(), I32, mask.type, self.vector]), name)
        return builder.call(load, [self.place(begin), I32(self.size), mask, self.worst]), self.numbered(begin)

    def across(self, best: Best) -> ir.Value:
        """The place of the best lane."""
        builder, width = self.builder, self.lanes
        while width > 1:
            width //= 2
            kind = ir.VectorType(I32, width)
            halves = [tuple(builder.shuffle_vector(part, part, ir.Constant(kind, list(range(start, start + width))))
                            for part in best) for start in (0, width)]
            best = self.first_of(halves[0], halves[1])    # type: ignore[arg-type]
        return builder.sext(builder.extract_element(best[1], I32(0)), I64)

    def found(self, count: ir.Value) -> ir.Value:
        builder = self.builder
        nothing = self.worst, ir.Constant(self.places, [0] * self.lanes)
        end, parts = self.loop(I64(0), count, [nothing] * PARTS)
        numbers = [ir.Constant(self.places, [k * self.lanes + i for i in range(self.lanes)]) for k in range(PARTS)]
        merged = [(value, builder.add(number, own)) for (value, number), own in zip(parts, numbers, strict=True)]
        best = self.first_of(self.first_of(merged[0], merged[1]), self.first_of(merged[2], merged[3]))
        single = best[0], builder.sub(best[1], self.lane_numbers)
        end, (single,) = self.loop(end, count, [single])
        value, number = self.better(single, self.rest(end, count))
        return self.across((value, builder.add(number, self.lane_numbers)))


def row_place(operation: str) -> Any:
    """The function (row, n, worst) -> where the greatest ("max") or least ("min") of n <= MOST floats stands, NaNs
    passed over; 0 if none is better than `worst`."""
    @intrinsic
    def place(typing_context, row, n, worst):
        def generate(context, builder, signature, values):
            row, count, start = values
            return _Places(builder, row, ">" if operation == "max" else "<", start).found(count)
        return types.int64(row, types.int64, row.dtype), generate
    return place
