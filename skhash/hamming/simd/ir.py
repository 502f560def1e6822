"""Pieces of LLVM code for vectors of machine words."""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils

from skhash.hamming.simd.words import VECTOR_BYTES

VECTOR_BITS = 8 * VECTOR_BYTES
# Codes per turn of loops over broadcast codes, and vectors per turn of the others.
UNROLL = 4
# Codes that are asked together whether any is near: one bit each of a word.
CHUNK = 64
# More than any distance.
FAR = 1 << 15

INT = ir.IntType(64)
_BYTE = ir.IntType(8)
_HALVES = ir.VectorType(ir.IntType(32), VECTOR_BITS // 32)


class Shape:
    """Words of a code, and the vector that holds one word of each lane."""

    def __init__(self, codes: Any, words: Any) -> None:
        self.word_bits = codes.dtype.bitwidth
        self.word_bytes = self.word_bits // 8
        self.lanes = VECTOR_BITS // self.word_bits
        self.vector = ir.VectorType(ir.IntType(self.word_bits), self.lanes)
        # 0 where only the array knows.
        self.n_words = words.count
        self.row_bytes = self.n_words * self.word_bytes

    def constant(self, value: int) -> Any:
        return ir.Constant(self.vector, [value] * self.lanes)


def broadcast_distances(
    builder: Any, shape: Shape, row: Any, row_bytes: Any, n_words: Any, queries: Any
) -> list[Any]:
    """Distances of `UNROLL` codes to the queries in the lanes."""
    starts = [
        builder.gep(row, [builder.mul(row_bytes, number(u))]) for u in range(UNROLL)
    ]
    if shape.n_words:
        sums = [shape.constant(0)] * UNROLL
        for w in range(shape.n_words):
            lanes = load(builder, queries, w * VECTOR_BYTES, shape.vector)
            sums = [
                builder.add(total, _broadcast_ones(builder, shape, start, w, lanes))
                for total, start in zip(sums, starts, strict=True)
            ]
        return sums
    slots = [
        cgutils.alloca_once_value(builder, shape.constant(0)) for _ in range(UNROLL)
    ]
    with cgutils.for_range(builder, n_words, intp=INT) as word:
        at_word = builder.mul(word.index, number(shape.word_bytes))
        at_lanes = builder.mul(word.index, number(VECTOR_BYTES))
        lanes = load(builder, builder.gep(queries, [at_lanes]), 0, shape.vector)
        for slot, start in zip(slots, starts, strict=True):
            at = builder.gep(start, [at_word])
            ones = _broadcast_ones(builder, shape, at, 0, lanes)
            builder.store(builder.add(builder.load(slot), ones), slot)
    return [builder.load(slot) for slot in slots]


def _broadcast_ones(builder: Any, shape: Shape, start: Any, w: int, lanes: Any) -> Any:
    """Differing bits of one word of a code and that of every lane's query."""
    word = load(builder, start, w * shape.word_bytes, shape.vector.element)
    return _ones(builder, builder.xor(splat(builder, shape, word), lanes))


def row_distances(
    builder: Any, shape: Shape, rows: Any, offset: int, pattern: Any
) -> Any:
    """Distances of a vector of codes, side by side in memory, to one query."""
    counts = []
    for v in range(shape.n_words):
        words = load(builder, rows, offset + v * VECTOR_BYTES, shape.vector)
        counts.append(_ones(builder, builder.xor(words, pattern)))
    # Add neighbouring lanes until each code's words are one.
    lanes = range(shape.lanes)
    while len(counts) > 1:
        counts = [
            builder.add(
                shuffle(builder, left, right, [2 * lane for lane in lanes]),
                shuffle(builder, left, right, [2 * lane + 1 for lane in lanes]),
            )
            for left, right in zip(counts[::2], counts[1::2], strict=True)
        ]
    return counts[0]


def repeated(builder: Any, shape: Shape, query: Any) -> Any:
    """Fill a vector with a query's words, over and over, as codes lie in memory."""
    vector = ir.Constant(shape.vector, ir.Undefined)
    for lane in range(shape.lanes):
        offset = lane % shape.n_words * shape.word_bytes
        word = load(builder, query, offset, shape.vector.element)
        vector = builder.insert_element(vector, word, _lane(lane))
    return vector


def minimum(builder: Any, left: Any, right: Any) -> Any:
    """The smaller distance, lane by lane."""
    # Distances fit 32 bits, and AVX2 has no minimum of 64-bit lanes.
    halves = [builder.bitcast(side, _HALVES) for side in (left, right)]
    least = call(builder, "llvm.umin.v16i32", _HALVES, *halves)
    return builder.bitcast(least, left.type)


def mask(builder: Any, shape: Shape, values: Any, bounds: Any) -> Any:
    """One bit for each lane whose value is below its bound."""
    below = builder.icmp_unsigned("<", values, bounds)
    return builder.zext(builder.bitcast(below, ir.IntType(shape.lanes)), INT)


def splat(builder: Any, shape: Shape, word: Any) -> Any:
    """A vector of a word in every lane."""
    empty = ir.Constant(shape.vector, ir.Undefined)
    first = builder.insert_element(empty, word, _lane(0))
    return shuffle(builder, first, empty, [0] * shape.lanes)


def narrowed(builder: Any, shape: Shape, value: Any) -> Any:
    """An integer argument, as wide as a word."""
    if shape.word_bits == INT.width:
        return value
    return builder.trunc(value, shape.vector.element)


def data(context: Any, builder: Any, signature: Any, args: Any, i: int) -> Any:
    """The address of an array argument's first byte."""
    array = context.make_array(signature.args[i])(context, builder, args[i])
    return builder.bitcast(array.data, _BYTE.as_pointer())


def row_pointer(
    context: Any, builder: Any, shape: Shape, signature: Any, args: Any, i: int
) -> Any:
    """The address of the row of array argument `i` that the next argument tells."""
    offset = builder.mul(args[i + 1], number(shape.row_bytes))
    return builder.gep(data(context, builder, signature, args, i), [offset])


def words_of_a_code(
    context: Any, builder: Any, shape: Shape, signature: Any, args: Any
) -> Any:
    """Words of a code: constant where the type tells, else read from the array."""
    if shape.n_words:
        return number(shape.n_words)
    array = context.make_array(signature.args[0])(context, builder, args[0])
    return builder.extract_value(array.shape, 1)


def load(
    builder: Any, base: Any, offset: int, value_type: Any, align: int | None = None
) -> Any:
    """Read a word or a vector of words, which need not be aligned as a vector."""
    pointer = builder.gep(base, [number(offset)])
    pointer = builder.bitcast(pointer, value_type.as_pointer())
    element = getattr(value_type, "element", value_type)
    return builder.load(pointer, align=align or element.width // 8)


def number(value: int) -> Any:
    """A constant 64-bit integer."""
    return ir.Constant(INT, value)


def shuffle(builder: Any, left: Any, right: Any, order: list[int]) -> Any:
    """Lanes of two vectors, picked by position in both."""
    vector = ir.VectorType(ir.IntType(32), len(order))
    return builder.shuffle_vector(left, right, ir.Constant(vector, order))


def _ones(builder: Any, vector: Any) -> Any:
    """Number of ones in each lane."""
    name = f"llvm.ctpop.v{vector.type.count}i{vector.type.element.width}"
    return call(builder, name, vector.type, vector)


def call(builder: Any, name: str, result: Any, *args: Any) -> Any:
    """Call a function of LLVM by name."""
    function_type = ir.FunctionType(result, [arg.type for arg in args])
    function = cgutils.get_or_insert_function(builder.module, function_type, name)
    return builder.call(function, args)


def _lane(value: int) -> Any:
    """A constant position of a lane."""
    return ir.Constant(ir.IntType(32), value)
