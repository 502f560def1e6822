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

from skhash.hamming.simd.ir import (
    CHUNK,
    FAR,
    INT,
    UNROLL,
    Shape,
    broadcast_distances,
    data,
    load,
    mask,
    minimum,
    narrowed,
    number,
    repeated,
    row_distances,
    row_pointer,
    splat,
    words_of_a_code,
)
from skhash.hamming.simd.words import VECTOR_BYTES

# Untyped: callers do not pass the typing context.
intrinsic: Any = _intrinsic


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
def next_hit(
    typingctx: Any,
    codes: Any,
    start: Any,
    stop: Any,
    lanes: Any,
    tile: Any,
    thresholds: Any,
    words: Any,
) -> Any:
    """Find the next chunk of codes that has one near enough to any query of a tile.

    ``lanes[tile]`` holds the queries word by word, ``thresholds[tile]`` a bound for
    each. The range holds whole chunks. Returns ``chunk << 16 | hits``, the number of
    chunks passed over and one bit for each lane with a distance below its bound: none
    at the end of the range.
    """
    integer = types.int64
    signature = types.uint64(codes, integer, integer, lanes, integer, thresholds, words)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        shape = Shape(signature.args[0], signature.args[6])
        n_words = words_of_a_code(context, builder, shape, signature, args)
        row_bytes = builder.mul(n_words, number(shape.word_bytes))
        rows = data(context, builder, signature, args, 0)
        rows = builder.gep(rows, [builder.mul(args[1], row_bytes)])
        tile_bytes = builder.mul(n_words, number(VECTOR_BYTES))
        queries = data(context, builder, signature, args, 3)
        queries = builder.gep(queries, [builder.mul(args[4], tile_bytes)])
        bounds = data(context, builder, signature, args, 5)
        bounds = builder.gep(bounds, [builder.mul(args[4], number(VECTOR_BYTES))])
        bound = load(builder, bounds, 0, shape.vector)
        n_chunks = builder.udiv(builder.sub(args[2], args[1]), number(CHUNK))
        found = cgutils.alloca_once_value(builder, builder.shl(n_chunks, number(16)))
        nearest = cgutils.alloca_once(builder, shape.vector)
        with cgutils.for_range(builder, n_chunks, intp=INT) as chunk:
            builder.store(shape.constant(FAR), nearest)
            at_chunk = builder.mul(chunk.index, number(CHUNK))
            with cgutils.for_range(builder, number(CHUNK // UNROLL), intp=INT) as turn:
                at = builder.add(at_chunk, builder.mul(turn.index, number(UNROLL)))
                row = builder.gep(rows, [builder.mul(at, row_bytes)])
                least = builder.load(nearest)
                for distance in broadcast_distances(
                    builder, shape, row, row_bytes, n_words, queries
                ):
                    least = minimum(builder, least, distance)
                builder.store(least, nearest)
            hits = mask(builder, shape, builder.load(nearest), bound)
            with builder.if_then(builder.icmp_unsigned("!=", hits, number(0))):
                passed = builder.shl(chunk.index, number(16))
                builder.store(builder.or_(passed, hits), found)
                chunk.do_break()
        return builder.load(found)

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
        shape = Shape(signature.args[0], signature.args[7])
        n_words = words_of_a_code(context, builder, shape, signature, args)
        row_bytes = builder.mul(n_words, number(shape.word_bytes))
        rows = data(context, builder, signature, args, 0)
        rows = builder.gep(rows, [builder.mul(args[1], row_bytes)])
        tile_bytes = builder.mul(n_words, number(VECTOR_BYTES))
        queries = data(context, builder, signature, args, 3)
        queries = builder.gep(queries, [builder.mul(args[4], tile_bytes)])
        at_tile = builder.mul(args[4], number(VECTOR_BYTES))
        bounds = data(context, builder, signature, args, 5)
        bound = load(builder, builder.gep(bounds, [at_tile]), 0, shape.vector)
        target = data(context, builder, signature, args, 6)
        target = builder.gep(target, [at_tile])
        total = cgutils.alloca_once_value(
            builder, load(builder, target, 0, shape.vector)
        )
        turns = builder.udiv(args[2], number(UNROLL))
        with cgutils.for_range(builder, turns, intp=INT) as turn:
            first = builder.mul(turn.index, builder.mul(row_bytes, number(UNROLL)))
            row = builder.gep(rows, [first])
            running = builder.load(total)
            for distance in broadcast_distances(
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
    queries: Any,
    q: Any,
    threshold: Any,
    words: Any,
) -> Any:
    """Whether any code of a chunk is nearer than a threshold to query `q`.

    Codes sit in the lanes, so the type must tell their words; without, every chunk
    may have one. `count` is a multiple of `CHUNK`.
    """
    integer = types.int64
    signature = types.boolean(codes, integer, integer, queries, integer, integer, words)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        shape = Shape(signature.args[0], signature.args[6])
        if not shape.n_words:
            return ir.Constant(ir.IntType(1), 1)
        rows = row_pointer(context, builder, shape, signature, args, 0)
        query = row_pointer(context, builder, shape, signature, args, 3)
        pattern = repeated(builder, shape, query)
        nearest = cgutils.alloca_once_value(builder, shape.constant(FAR))
        step = UNROLL * shape.lanes
        turns = builder.udiv(args[2], number(step))
        with cgutils.for_range(builder, turns, intp=INT) as turn:
            at = builder.mul(turn.index, number(step * shape.row_bytes))
            row = builder.gep(rows, [at])
            least = builder.load(nearest)
            for u in range(UNROLL):
                offset = u * shape.lanes * shape.row_bytes
                distances = row_distances(builder, shape, row, offset, pattern)
                least = minimum(builder, least, distances)
            builder.store(least, nearest)
        bound = narrowed(builder, shape, args[5])
        found = mask(
            builder, shape, builder.load(nearest), splat(builder, shape, bound)
        )
        return builder.icmp_unsigned("!=", found, number(0))

    return signature, codegen


@intrinsic
def chunk_below(
    typingctx: Any,
    codes: Any,
    start: Any,
    queries: Any,
    q: Any,
    threshold: Any,
    words: Any,
) -> Any:
    """Which of the `CHUNK` codes from `start` are nearer than a threshold to
    query `q`.

    One bit per code, the first lowest. The type must tell the words of a code.
    """
    integer = types.int64
    signature = types.uint64(codes, integer, queries, integer, integer, words)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        shape = Shape(signature.args[0], signature.args[5])
        if not shape.n_words:
            return number(0)
        rows = row_pointer(context, builder, shape, signature, args, 0)
        query = row_pointer(context, builder, shape, signature, args, 2)
        pattern = repeated(builder, shape, query)
        bound = splat(builder, shape, narrowed(builder, shape, args[4]))
        found = number(0)
        for first in range(0, CHUNK, shape.lanes):
            offset = first * shape.row_bytes
            distances = row_distances(builder, shape, rows, offset, pattern)
            bits = mask(builder, shape, distances, bound)
            found = builder.or_(found, builder.shl(bits, number(first)))
        return found

    return signature, codegen
