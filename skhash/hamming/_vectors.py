"""The innermost loops, as explicit vectors of 512 bits.

LLVM's own vectorizer stays at half the speed here: it spills the running minima and
gathers strided words. The vectors are LLVM's abstract ones, so that the same code
becomes AVX-512, AVX2 or NEON instructions.

A search asks of a chunk of codes only whether any comes near enough. Queries sit in
the lanes of a vector and each database word is broadcast to all of them, so that
codes of any width are read as they lie in memory. For a query or two, codes sit in
the lanes instead. Lane counts and word counts travel in types: `words` is a tuple of
as many integers as a code has words, or an empty one where the loop over words is
left to run time.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as _intrinsic

# Untyped: callers do not pass the typing context.
intrinsic: Any = _intrinsic

VECTOR_BITS = 512
VECTOR_BYTES = VECTOR_BITS // 8
# Codes per turn of the unrolled loops; chunks are multiples of it.
UNROLL = 4
# More than any distance.
FAR = 1 << 15

_BYTE = ir.IntType(8)
_INT = ir.IntType(64)
_HALVES = ir.VectorType(ir.IntType(32), VECTOR_BITS // 32)


@intrinsic
def popcount(typingctx: Any, x: Any) -> Any:
    """Count the ones of an integer."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return x(x), codegen


@intrinsic
def lowest_bit(typingctx: Any, x: Any) -> Any:
    """Return the position of the lowest one of a non-zero integer."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return x(x), codegen


@intrinsic
def lanes_below(
    typingctx: Any,
    codes: Any,
    start: Any,
    count: Any,
    lanes: Any,
    tile: Any,
    thresholds: Any,
    words: Any,
) -> Any:
    """Which queries have a distance below their threshold in a chunk of codes.

    ``lanes[tile]`` holds the queries word by word, ``thresholds[tile]`` a bound for
    each. Returns one bit per lane. `count` is a multiple of `UNROLL`.
    """
    integer = types.int64
    signature = types.uint64(codes, integer, integer, lanes, integer, thresholds, words)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        shape = _Shape(signature.args[0], signature.args[6])
        rows = _data(context, builder, signature.args[0], args[0])
        n_words = _n_words(context, builder, signature.args[0], args[0])
        row_bytes = builder.mul(n_words, _int(shape.word_bytes))
        rows = builder.gep(rows, [builder.mul(args[1], row_bytes)])
        tile_bytes = builder.mul(n_words, _int(VECTOR_BYTES))
        queries = _data(context, builder, signature.args[3], args[3])
        queries = builder.gep(queries, [builder.mul(args[4], tile_bytes)])
        nearest = cgutils.alloca_once_value(builder, shape.constant(FAR))
        turns = builder.udiv(args[2], _int(UNROLL))
        with cgutils.for_range(builder, turns, intp=_INT) as turn:
            first = builder.mul(turn.index, builder.mul(row_bytes, _int(UNROLL)))
            row = builder.gep(rows, [first])
            minimum = builder.load(nearest)
            for distance in _broadcast_distances(
                builder, shape, row, row_bytes, n_words, queries
            ):
                minimum = _minimum(builder, minimum, distance)
            builder.store(minimum, nearest)
        bounds = _data(context, builder, signature.args[5], args[5])
        bounds = builder.gep(bounds, [builder.mul(args[4], _int(VECTOR_BYTES))])
        bound = _load(builder, bounds, 0, shape.vector)
        return _mask(builder, shape, builder.load(nearest), bound)

    return signature, codegen


@intrinsic
def add_lanes_below(
    typingctx: Any,
    codes: Any,
    start: Any,
    count: Any,
    lanes: Any,
    tile: Any,
    thresholds: Any,
    counts: Any,
    words: Any,
) -> Any:
    """Count, for each query, the codes of a chunk below its threshold.

    Adds to ``counts[tile]``; otherwise as `lanes_below`.
    """
    integer = types.int64
    signature = types.void(
        codes, integer, integer, lanes, integer, thresholds, counts, words
    )

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        shape = _Shape(signature.args[0], signature.args[7])
        rows = _data(context, builder, signature.args[0], args[0])
        n_words = _n_words(context, builder, signature.args[0], args[0])
        row_bytes = builder.mul(n_words, _int(shape.word_bytes))
        rows = builder.gep(rows, [builder.mul(args[1], row_bytes)])
        tile_bytes = builder.mul(n_words, _int(VECTOR_BYTES))
        queries = _data(context, builder, signature.args[3], args[3])
        queries = builder.gep(queries, [builder.mul(args[4], tile_bytes)])
        at_tile = builder.mul(args[4], _int(VECTOR_BYTES))
        bounds = _data(context, builder, signature.args[5], args[5])
        bound = _load(builder, builder.gep(bounds, [at_tile]), 0, shape.vector)
        target = _data(context, builder, signature.args[6], args[6])
        target = builder.gep(target, [at_tile])
        total = cgutils.alloca_once_value(
            builder, _load(builder, target, 0, shape.vector)
        )
        turns = builder.udiv(args[2], _int(UNROLL))
        with cgutils.for_range(builder, turns, intp=_INT) as turn:
            first = builder.mul(turn.index, builder.mul(row_bytes, _int(UNROLL)))
            row = builder.gep(rows, [first])
            running = builder.load(total)
            for distance in _broadcast_distances(
                builder, shape, row, row_bytes, n_words, queries
            ):
                below = builder.icmp_unsigned("<", distance, bound)
                # A true lane, sign-extended, is -1.
                running = builder.sub(running, builder.sext(below, shape.vector))
            builder.store(running, total)
        pointer = builder.bitcast(target, shape.vector.as_pointer())
        builder.store(builder.load(total), pointer, align=shape.word_bytes)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def any_below(
    typingctx: Any,
    codes: Any,
    start: Any,
    count: Any,
    query: Any,
    threshold: Any,
    words: Any,
) -> Any:
    """Whether any code of a chunk is nearer than a threshold to one query.

    Codes sit in the lanes, so their words (1, 2, 4 or 8) must be known to the type;
    without them every chunk may have one.
    `count` is a multiple of `UNROLL` times the lanes of a vector.
    """
    integer = types.int64
    signature = types.boolean(codes, integer, integer, query, integer, words)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        shape = _Shape(signature.args[0], signature.args[5])
        if not shape.n_words:
            return ir.Constant(ir.IntType(1), 1)
        row_bytes = shape.n_words * shape.word_bytes
        rows = _data(context, builder, signature.args[0], args[0])
        rows = builder.gep(rows, [builder.mul(args[1], _int(row_bytes))])
        query = _data(context, builder, signature.args[3], args[3])
        # The query's words repeated along the vector, as codes lie in memory. With
        # more than one word this is one of several vectors only if words > lanes.
        pattern = _repeated(builder, shape, query)
        nearest = cgutils.alloca_once_value(builder, shape.constant(FAR))
        step = UNROLL * shape.lanes
        turns = builder.udiv(args[2], _int(step))
        with cgutils.for_range(builder, turns, intp=_INT) as turn:
            row = builder.gep(rows, [builder.mul(turn.index, _int(step * row_bytes))])
            minimum = builder.load(nearest)
            for u in range(UNROLL):
                offset = u * shape.lanes * row_bytes
                counts = [
                    _ones(
                        builder,
                        builder.xor(
                            _load(
                                builder, row, offset + v * VECTOR_BYTES, shape.vector
                            ),
                            pattern,
                        ),
                    )
                    for v in range(shape.n_words)
                ]
                minimum = _minimum(builder, minimum, _row_sums(builder, shape, counts))
            builder.store(minimum, nearest)
        word = ir.IntType(shape.word_bits)
        bound = builder.trunc(args[4], word) if shape.word_bits < 64 else args[4]
        below = _mask(
            builder, shape, builder.load(nearest), _splat(builder, shape, bound)
        )
        return builder.icmp_unsigned("!=", below, _int(0))

    return signature, codegen


class _Shape:
    """Words of a code, and the vector that holds one word of each lane."""

    def __init__(self, codes: Any, words: Any) -> None:
        self.word_bits = codes.dtype.bitwidth
        self.word_bytes = self.word_bits // 8
        self.lanes = VECTOR_BITS // self.word_bits
        self.vector = ir.VectorType(ir.IntType(self.word_bits), self.lanes)
        self.n_words = words.count

    def constant(self, value: int) -> Any:
        return ir.Constant(self.vector, [value] * self.lanes)


def _broadcast_distances(
    builder: Any, shape: _Shape, row: Any, row_bytes: Any, n_words: Any, queries: Any
) -> list[Any]:
    """Distances of `UNROLL` codes to the queries in the lanes."""
    starts = [
        builder.gep(row, [builder.mul(row_bytes, _int(u))]) for u in range(UNROLL)
    ]
    if shape.n_words:
        sums = [shape.constant(0)] * UNROLL
        for w in range(shape.n_words):
            lanes = _load(builder, queries, w * VECTOR_BYTES, shape.vector)
            sums = [
                builder.add(total, _broadcast_ones(builder, shape, start, w, lanes))
                for total, start in zip(sums, starts, strict=True)
            ]
        return sums
    slots = [
        cgutils.alloca_once_value(builder, shape.constant(0)) for _ in range(UNROLL)
    ]
    with cgutils.for_range(builder, n_words, intp=_INT) as word:
        at_word = builder.mul(word.index, _int(shape.word_bytes))
        at_lanes = builder.mul(word.index, _int(VECTOR_BYTES))
        lanes = _load(builder, builder.gep(queries, [at_lanes]), 0, shape.vector)
        for slot, start in zip(slots, starts, strict=True):
            at = builder.gep(start, [at_word])
            ones = _broadcast_ones(builder, shape, at, 0, lanes)
            builder.store(builder.add(builder.load(slot), ones), slot)
    return [builder.load(slot) for slot in slots]


def _broadcast_ones(builder: Any, shape: _Shape, start: Any, w: int, lanes: Any) -> Any:
    word = _load(builder, start, w * shape.word_bytes, shape.vector.element)
    return _ones(builder, builder.xor(_splat(builder, shape, word), lanes))


def _repeated(builder: Any, shape: _Shape, query: Any) -> Any:
    """One code's words, repeated to fill a vector."""
    vector = ir.Constant(shape.vector, ir.Undefined)
    for lane in range(shape.lanes):
        offset = lane % shape.n_words * shape.word_bytes
        word = _load(builder, query, offset, shape.vector.element)
        vector = builder.insert_element(vector, word, _lane(lane))
    return vector


def _row_sums(builder: Any, shape: _Shape, counts: list[Any]) -> Any:
    """Add up each code's words, which lie side by side over several vectors.

    The codes end up in any order: only their minimum is asked for. Interleaving
    within pairs of lanes is the cheapest shuffle there is.
    """
    width = 1
    while len(counts) > 1:
        low, high = [], []
        for lane in range(shape.lanes):
            group, within = divmod(lane, 2 * width)
            source = within // width * shape.lanes
            low.append(source + group * 2 * width + within % width)
            high.append(source + group * 2 * width + within % width + width)
        counts = [
            builder.add(
                _shuffle(builder, left, right, low),
                _shuffle(builder, left, right, high),
            )
            for left, right in zip(counts[::2], counts[1::2], strict=True)
        ]
        width *= 2
    return counts[0]


def _shuffle(builder: Any, left: Any, right: Any, order: list[int]) -> Any:
    vector = ir.VectorType(ir.IntType(32), len(order))
    return builder.shuffle_vector(left, right, ir.Constant(vector, order))


def _splat(builder: Any, shape: _Shape, word: Any) -> Any:
    empty = ir.Constant(shape.vector, ir.Undefined)
    first = builder.insert_element(empty, word, _lane(0))
    return _shuffle(builder, first, empty, [0] * shape.lanes)


def _ones(builder: Any, vector: Any) -> Any:
    name = f"llvm.ctpop.v{vector.type.count}i{vector.type.element.width}"
    return _call(builder, name, vector.type, vector)


def _minimum(builder: Any, left: Any, right: Any) -> Any:
    # Distances fit 32 bits, and AVX2 has no minimum of 64-bit lanes.
    halves = [builder.bitcast(side, _HALVES) for side in (left, right)]
    minimum = _call(builder, "llvm.umin.v16i32", _HALVES, *halves)
    return builder.bitcast(minimum, left.type)


def _mask(builder: Any, shape: _Shape, values: Any, bounds: Any) -> Any:
    below = builder.icmp_unsigned("<", values, bounds)
    return builder.zext(builder.bitcast(below, ir.IntType(shape.lanes)), _INT)


def _call(builder: Any, name: str, result: Any, *args: Any) -> Any:
    function_type = ir.FunctionType(result, [arg.type for arg in args])
    function = cgutils.get_or_insert_function(builder.module, function_type, name)
    return builder.call(function, args)


def _data(context: Any, builder: Any, array_type: Any, array: Any) -> Any:
    pointer = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(pointer, _BYTE.as_pointer())


def _n_words(context: Any, builder: Any, array_type: Any, array: Any) -> Any:
    shape = context.make_array(array_type)(context, builder, array).shape
    return builder.extract_value(shape, 1)


def _load(builder: Any, base: Any, offset: int, value_type: Any) -> Any:
    pointer = builder.gep(base, [_int(offset)])
    pointer = builder.bitcast(pointer, value_type.as_pointer())
    element = getattr(value_type, "element", value_type)
    return builder.load(pointer, align=element.width // 8)


def _int(value: int) -> Any:
    return ir.Constant(_INT, value)


def _lane(value: int) -> Any:
    return ir.Constant(ir.IntType(32), value)
